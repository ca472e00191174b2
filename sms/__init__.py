"""Texting: what a text says, what a reply means to a carrier, one module per provider."""
