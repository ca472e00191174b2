"""Responders and policies as their owners write them; these models validate API and files."""

import functools
import re
from collections.abc import Container
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
)

Severity = Literal["critical", "warning", "info"]
Locale = Literal["zh-CN", "en"]
Channel = Literal["voice", "sms", "email"]
CHANNELS_BUILT: tuple[Channel, ...] = get_args(Channel)
CHANNELS_PLANNED = ("feishu", "dingtalk", "wecom", "slack", "teams")
# The contact that each channel needs.
CONTACT_OF: dict[Channel, Literal["phone", "email"]] = {
    "voice": "phone",
    "sms": "phone",
    "email": "email",
}
TARGETS_BUILT = ("responder", "schedule")
TARGETS_PLANNED = ("bot", "chat")
LOUD = ("voice", "sms")  # for critical and warning only, unless a notification says otherwise
MAX_WAIT_S = 86_400
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        msg = "expected 1 to 64 of: letters, digits, . _ @ -, the first a letter or digit"
        raise ValueError(msg)
    return value


Identifier = Annotated[str, AfterValidator(_identifier)]


def _phone(value: object) -> object:
    """Return the number as E.164; the plus is required, so that no country is guessed."""
    if not isinstance(value, str):
        return value
    expected = "expected a phone number with + and country code, such as +8613700000000"
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as exc:
        raise ValueError(expected) from exc
    if not phonenumbers.is_possible_number(number):
        raise ValueError(expected)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


Phone = Annotated[str, BeforeValidator(_phone)]


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\.]+(\.[^@\s.]+)+", value):
        msg = "expected an email address, such as name@example.com"
        raise ValueError(msg)
    return value


@functools.cache
def _timezones() -> frozenset[str]:
    """Return every name; looked up once, since that reads a directory tree."""
    return frozenset(available_timezones())


def _timezone(value: str) -> str:
    if value not in _timezones():
        msg = "expected a timezone of the IANA database, such as Asia/Shanghai"
        raise ValueError(msg)
    return value


Timezone = Annotated[str, AfterValidator(_timezone)]


def _hours(value: str) -> str:
    if not _HOURS.fullmatch(value) or value[:5] == value[6:]:
        msg = 'expected hours such as "08:00-22:00"'
        raise ValueError(msg)
    return value


class Strict(BaseModel):
    """Unknown keys are errors: a misspelt setting must not be a silent one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Count = Annotated[int, Field(strict=True)]  # neither true nor "300"


def _name(value: str) -> str:
    if not value.strip():
        msg = "expected a name that is not blank"
        raise ValueError(msg)
    return value.strip()


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_name)]


def _channel(value: object) -> object:
    if value in CHANNELS_PLANNED:
        msg = f"{value!r} is not available yet; expected one of: {', '.join(CHANNELS_BUILT)}"
        raise ValueError(msg)
    if value not in CHANNELS_BUILT:
        msg = f"expected one of: {', '.join(CHANNELS_BUILT)}"
        raise ValueError(msg)
    return value


class Notification(Strict):
    """One way of telling a responder. Times in seconds; `hours` in the responder's timezone."""

    channel: Annotated[Channel, BeforeValidator(_channel)]
    after: Count = Field(0, ge=0, le=MAX_WAIT_S)
    tries: Count = Field(0, ge=0, le=10)  # 0: the channel's own default
    gap: Count = Field(90, ge=1, le=MAX_WAIT_S)
    severities: tuple[Severity, ...] | None = None
    hours: Annotated[str, AfterValidator(_hours)] | None = None

    @property
    def tries_allowed(self) -> int:
        """Two for a call, else one, unless said otherwise."""
        return self.tries or (2 if self.channel == "voice" else 1)

    def is_for(self, severity: Severity) -> bool:
        """Say whether this severity is told in this way at all."""
        if self.severities is not None:
            return severity in self.severities
        return severity != "info" or self.channel not in LOUD


def _spread(value: object) -> object:
    """Read `["voice", "sms"]` as the same with gaps of 60 s between them."""
    if isinstance(value, list | tuple):
        items: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return [
            {"channel": item, "after": 60 * i} if isinstance(item, str) else item
            for i, item in enumerate(items)
        ]
    return value


Notifications = Annotated[
    tuple[Notification, ...], BeforeValidator(_spread), Field(min_length=1, max_length=20)
]


# For whoever never said: each 60 s after the one before, or at once when that one has failed.
_USUAL = TypeAdapter(Notifications).validate_python(CHANNELS_BUILT)


class Responder(Strict):
    """A person who can be paged."""

    name: Name
    phone: Phone | None = None
    email: Annotated[str, Field(max_length=254), AfterValidator(_email)] | None = None
    locale: Locale = "zh-CN"
    timezone: Timezone = "Asia/Shanghai"
    role: Literal["member", "admin"] = "member"
    preferences: dict[Severity, Notifications] = Field(
        default_factory=dict[Severity, Notifications]
    )
    accounts: dict[str, str] = Field(default_factory=dict[str, str])

    def personal(self, severity: Severity, on: Container[str]) -> tuple[Notification, ...]:
        """Return how this person wants to be told.

        Where they never said, by all channels that are `on` and that they have a contact for; a
        call is among them in any case, so that a missing number shows.
        """
        return self.preferences.get(severity) or tuple(
            usual
            for usual in _USUAL
            if usual.channel == "voice" or (usual.channel in on and self.contact(usual.channel))
        )

    def contact(self, channel: Channel) -> str | None:
        """Return the address that this channel uses: the number or the mail address."""
        return self.phone if CONTACT_OF[channel] == "phone" else self.email

    @property
    def zone(self) -> ZoneInfo:
        """The responder's own timezone."""
        return ZoneInfo(self.timezone)


class Person(Responder):
    """A responder as stored: also which contacts, "phone" or "email", are proved to be theirs."""

    verified: frozenset[str] = frozenset()


def _target(value: object) -> object:
    kind, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind in TARGETS_PLANNED and name:
        msg = f"{kind!r} targets are not available yet; expected responder:ID or schedule:ID"
        raise ValueError(msg)
    if kind not in TARGETS_BUILT or not _ID.fullmatch(name):
        msg = "expected responder:ID or schedule:ID"
        raise ValueError(msg)
    return value


Target = Annotated[str, BeforeValidator(_target)]


def _notify_form(value: object) -> str:
    return "personal" if isinstance(value, str) else "list"


Notify = Annotated[
    Annotated[Literal["personal"], Tag("personal")] | Annotated[Notifications, Tag("list")],
    Discriminator(_notify_form),
]


class Step(Strict):
    """Who is told, how, and how long to wait (seconds) before the next step."""

    targets: tuple[Target, ...] = Field(min_length=1, max_length=50)
    notify: Notify = "personal"
    wait: Count = Field(300, ge=0, le=MAX_WAIT_S)

    def named(self, kind: Literal["responder", "schedule"]) -> tuple[str, ...]:
        """Return the ids of all targets of one kind, each once, in the order written."""
        split = (target.partition(":") for target in self.targets)
        return tuple(dict.fromkeys(id_ for found, _, id_ in split if found == kind))

    def notifications(
        self, person: Responder, severity: Severity, on: Container[str]
    ) -> tuple[Notification, ...]:
        """Return how this step tells a person, by channels that are `on` where they never said."""
        return person.personal(severity, on) if self.notify == "personal" else self.notify


def _not_yet(name: str, value: object) -> object:
    if value is not None:
        msg = f"{name} is not available yet; leave it out"
        raise ValueError(msg)
    return value


class Policy(Strict):
    """The escalation policy: ordered steps, walked `repeat` more times after the first."""

    name: Name
    steps: tuple[Step, ...] = Field(min_length=1, max_length=20)
    repeat: Count = Field(2, ge=0, le=20)
    ack_timeout: Annotated[None, BeforeValidator(lambda v: _not_yet("ack_timeout", v))] = None  # pyright: ignore[reportUnknownLambdaType,reportUnknownArgumentType]
    unverified: Literal["use", "skip"] = "use"

    def channels_for(
        self, id_: str, person: Responder, on: Container[str], *, schedules: Container[str]
    ) -> tuple[Channel, ...]:
        """Return every channel by which some step would tell this responder, each once.

        `schedules`: those that may have this responder on call.
        """
        severities: tuple[Severity, ...] = ("critical", "warning", "info")
        found: list[Channel] = [
            one.channel
            for step in self.steps
            if id_ in step.named("responder")
            or any(schedule in schedules for schedule in step.named("schedule"))
            for severity in severities
            for one in step.notifications(person, severity, on)
            if one.is_for(severity)
        ]
        return tuple(dict.fromkeys(found))

    def named(self, kind: Literal["responder", "schedule"]) -> tuple[str, ...]:
        """Return the ids of all targets of one kind that any step names, each once."""
        return tuple(dict.fromkeys(id_ for step in self.steps for id_ in step.named(kind)))
