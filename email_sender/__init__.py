"""Mailing: HTML with its plain-text twin, by DirectMail and by SMTP."""
