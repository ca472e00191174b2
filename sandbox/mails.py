"""The mails that arrived, by DirectMail or SMTP, as their reader sees them."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from sandbox.calls import iso


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. `at`: seconds of sandbox time since 1970."""

    id: str
    via: str
    sender: str
    to: str
    subject: str
    html: str
    text: str
    headers: dict[str, str]
    at: float

    def json(self) -> dict[str, Any]:
        """Return it as the page shows it."""
        return {
            "id": self.id,
            "via": self.via,
            "from": self.sender,
            "to": self.to,
            "subject": self.subject,
            "html": self.html,
            "text": self.text,
            "headers": self.headers,
            "at": iso(self.at),
        }


@dataclass(slots=True)
class Mails:
    """Every mailbox there is."""

    all: dict[str, Mail] = field(default_factory=dict[str, Mail])
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def next_id(self) -> str:
        """Return an id that no other mail has, digits as DirectMail's EnvId."""
        return f"6000{next(self._numbers):08d}"

    def to(self, address: str | None) -> list[Mail]:
        """Return the mails to this address, or all, newest first."""
        found = reversed(self.all.values())
        return [
            mail for mail in found if address is None or mail.to.casefold() == address.casefold()
        ]
