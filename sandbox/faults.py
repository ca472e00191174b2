"""What goes wrong at a carrier, when told to."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sandbox.phones import BadInputError, e164, is_seconds

KINDS = (
    "error",
    "throttle",
    "accept_then_hang",
    "place_then_hang",
    "place_then_reset",
    "server_error_after_placing",
    "server_error",
    "html",
    "slow_body",
    "close_mid_request",
    "empty_success",
    "slow",
)
SMTP_KINDS = ("error", "hang")
PLACING = ("place_then_hang", "place_then_reset", "server_error_after_placing", "slow_body", "slow")


@dataclass(slots=True)
class Fault:
    """One fault; `times` left, None for ever; `number` and `action` None for all.

    `code` and `message` are of `error`, `http_status` of `error` and `html`, `retry_after_ms` of
    `throttle`, `after_s` of `slow`.
    """

    fault: str
    times: int | None = 1
    number: str | None = None
    action: str | None = None
    code: str = ""
    message: str = ""
    http_status: int | None = None
    retry_after_ms: int = 1000
    after_s: float = 1.0

    @property
    def places(self) -> bool:
        """Say whether the call, the text or the mail exists although the answer goes wrong."""
        return self.fault in PLACING

    def json(self) -> dict[str, Any]:
        """Return it as it was told."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Faults:
    """The faults of one carrier, of these kinds; its products share them."""

    kinds: Sequence[str] = KINDS
    told: list[Fault] = field(default_factory=list[Fault])

    def put(self, items: list[Any]) -> None:
        """Replace them all. Raises BadInputError."""
        told = [_fault(i, item, self.kinds) for i, item in enumerate(items)]
        if self.kinds is SMTP_KINDS:
            for i, fault in enumerate(told):
                _check_smtp(i, fault)
        self.told = told

    def next_for(self, action: str, numbers: Sequence[str]) -> Fault | None:
        """Return, and use up, the first that concerns this action and one of these numbers."""
        for fault in self.told:
            is_meant = fault.action in (None, action) and (
                fault.number is None or fault.number in numbers
            )
            if is_meant and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


_FIELDS: dict[str, tuple[type, ...]] = {
    "fault": (str,),
    "times": (int, type(None)),
    "number": (str, type(None)),
    "action": (str, type(None)),
    "code": (str,),
    "message": (str,),
    "http_status": (int, type(None)),
    "retry_after_ms": (int,),
    "after_s": (int, float),
}


_RULES: dict[str, tuple[Callable[[Fault], bool], str]] = {
    "times": (
        lambda fault: fault.times is None or fault.times > 0,
        "a whole number above 0, or null for ever",
    ),
    "code": (
        lambda fault: fault.fault != "error" or bool(fault.code or fault.http_status),
        "the carrier's code of the error",
    ),
    "http_status": (
        lambda fault: fault.http_status is None or 200 <= fault.http_status <= 599,  # noqa: PLR2004
        "200 to 599",
    ),
    "after_s": (lambda fault: is_seconds(fault.after_s), "seconds, 0 or more"),
}


def _fault(i: int, item: object, kinds: Sequence[str]) -> Fault:
    if not isinstance(item, dict):
        raise BadInputError(f"{i}: expected a table")
    told: dict[str, Any] = dict(cast("dict[str, Any]", item))
    if told.get("fault") not in kinds:
        raise BadInputError(f"{i}.fault: expected one of: {', '.join(kinds)}")
    for key, value in told.items():
        if key not in _FIELDS:
            raise BadInputError(f"{i}.{key}: unknown; expected one of: {', '.join(_FIELDS)}")
        if not isinstance(value, _FIELDS[key]) or isinstance(value, bool):
            names = " or ".join(kind.__name__ for kind in _FIELDS[key])
            raise BadInputError(f"{i}.{key}: expected {names}")
    fault = Fault(**told)
    for name, (is_right, expected) in _RULES.items():
        if not is_right(fault):
            raise BadInputError(f"{i}.{name}: expected {expected}")
    if fault.number is not None:
        try:
            fault.number = e164(fault.number)
        except BadInputError as exc:
            raise BadInputError(f"{i}.{exc}") from exc
    return fault


def _check_smtp(i: int, fault: Fault) -> None:
    if fault.action not in (None, "RCPT", "DATA"):
        raise BadInputError(f"{i}.action: expected RCPT, DATA, or null for the first of them")
    if fault.fault == "error" and not re.fullmatch("[45][0-9]{2}", fault.code):
        raise BadInputError(f"{i}.code: expected a code of three digits, 400 or more")
    if not re.fullmatch("[^\\r\\n]{0,400}", fault.message):
        raise BadInputError(f"{i}.message: expected one line")
