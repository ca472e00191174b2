"""The numbers and what each does when it is called or texted."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import phonenumbers

Behaviour = Literal[
    "ring",
    "answer",
    "voicemail",
    "busy",
    "off",
    "no_answer",
    "reject",
    "bad_number",
    "out_of_coverage",
    "suspended",
    "over_concurrency",
]
BEHAVIOURS: tuple[str, ...] = get_args(Behaviour)
TEXTED = ("deliver", "fail", "silent")  # silent: nobody ever says what became of it
MOST_SECONDS = 3650 * 86_400.0


class BadInputError(Exception):
    """A request of the control API that cannot be done: `field: what was expected`."""


@dataclass(slots=True)
class Phone:
    """One number; `after_s` from ringing to answer, `hangup_after_s` from there to its end.

    `sms`: what becomes of a text; `sms_error`: the receipt's code where it fails.
    """

    number: str
    behaviour: str = "ring"
    after_s: float = 3.0
    keys: str = ""
    hangup_after_s: float | None = None
    label: str = ""
    sms: str = "deliver"
    sms_error: str = "MK:0005"

    def json(self, calls: int) -> dict[str, Any]:
        """Return it as the page shows it."""
        return {
            "number": self.number,
            "behaviour": self.behaviour,
            "after_s": self.after_s,
            "keys": self.keys,
            "hangup_after_s": self.hangup_after_s,
            "label": self.label,
            "sms": self.sms,
            "sms_error": self.sms_error,
            "calls": calls,
        }


def e164(number: str) -> str:
    """Return +8613700000000 for any way of writing it; raise BadInputError for no number."""
    digits = re.sub(r"[\s()-]", "", number)
    if re.fullmatch(r"1[3-9][0-9]{9}|0[1-9][0-9]{8,10}", digits):
        return f"+86{digits.removeprefix('0')}"
    if re.fullmatch(r"\+?[1-9][0-9]{6,14}", digits):
        return f"+{digits.lstrip('+')}"
    msg = "number: expected a phone number such as +8613700000000"
    raise BadInputError(msg)


def is_possible_e164(number: str) -> bool:
    """Say whether this is a number with + in front, of a length that its country has."""
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def is_seconds(value: object) -> bool:
    """Say whether this is a length of time, at most ten years."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value <= MOST_SECONDS
    )


@dataclass(slots=True)
class Phones:
    """All numbers that were called or set up."""

    known: dict[str, Phone] = field(default_factory=dict[str, Phone])

    def get(self, number: str) -> Phone:
        """Return this phone, a new one if it was not known."""
        return self.known.setdefault(number, Phone(number))

    def put(self, number: str, told: dict[str, Any]) -> Phone:
        """Set it up. Raises BadInputError."""
        phone = Phone(e164(number))
        for key, value in told.items():
            match key, value:
                case "behaviour", str() if value in BEHAVIOURS:
                    phone.behaviour = value
                case "after_s", int() | float() if is_seconds(value):
                    phone.after_s = float(value)
                case "keys", str() if re.fullmatch(r"[0-9*#]*", value):
                    phone.keys = value
                case "hangup_after_s", None:
                    pass
                case "hangup_after_s", int() | float() if is_seconds(value) and value > 0:
                    phone.hangup_after_s = float(value)
                case "label", str():
                    phone.label = value[:40]
                case "sms", str() if value in TEXTED:
                    phone.sms = value
                case "sms_error", str() if re.fullmatch(r"[A-Za-z0-9:_.-]{1,40}", value):
                    phone.sms_error = value
                case _:
                    raise BadInputError(f"{key}: expected {_EXPECTED.get(key, 'no such key')}")
        self.known[phone.number] = phone
        return phone


_EXPECTED = {
    "behaviour": f"one of: {', '.join(BEHAVIOURS)}",
    "after_s": "seconds, 0 or more",
    "keys": "keys of a phone: 0 to 9, * and #",
    "hangup_after_s": "seconds above 0, or null",
    "label": "a name",
    "sms": f"one of: {', '.join(TEXTED)}",
    "sms_error": "a code such as MK:0005",
}
