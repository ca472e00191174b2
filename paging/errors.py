"""What can go wrong with a delivery, in the two questions that the engine asks of it.

May another provider take it at once, and could this one have placed it all the same? Adapters keep
one `Row` per documented code; the row decides, `kind` is its name.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "recipient_rejected",
    "rate_limited",
    "misconfigured",
    "out_of_credit",
    "provider_down",
    "transient",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Row:
    """One documented code of one provider.

    `placed` "maybe": the call may exist, so wait for a receipt before using another provider.
    `again` "never": trying this contact again by this provider cannot help.
    `scope`: whose limit it was, where it was one. `outcome`: the word shown to people.
    `postpones`: it asks to be tried again in some minutes, as a mail server that greylists does.
    """

    kind: Kind
    outcome: str
    other_provider: bool = True
    placed: Literal["no", "maybe"] = "no"
    again: Literal["never", "later"] = "later"
    scope: Literal["number", "account"] | None = None
    postpones: bool = False


class DeliveryError(Exception):
    """A submit that was refused, or whose outcome is not known.

    `text` is shown in the timeline: it names no phone number and no message, so never an SDK's own.
    `answered`: the carrier answered at all (an error of its own); false when the answer was lost.
    """

    def __init__(
        self, provider: str, code: str, row: Row, *, text: str = "", answered: bool = True
    ) -> None:
        super().__init__(f"{provider}: {code}")
        self.provider = provider
        self.code = code
        self.row = row
        self.text = text
        self.answered = answered


class CallbackMalformedError(Exception):
    """A callback that cannot be read at all: answered 400."""


class CalendarError(Exception):
    """No calendar that can be used. The text says what is wrong in words and holds no address."""


class SettingsError(Exception):
    """Stops start-up. The text names the key and what it should hold, in one line."""


class NotFoundError(Exception):
    """No such row: answered 404. The text names what was looked for."""


class ConflictError(Exception):
    """The request is well formed but the state does not allow it: answered 409."""


class InvalidError(Exception):
    """A field is wrong: answered 422. `field` is its path, the text says what was expected."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field
        self.expected = expected


class UnavailableError(Exception):
    """The database cannot be written or read now; nothing is half done. Answered 503."""
