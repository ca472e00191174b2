"""The rows that decisions are made on, as plain values."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from paging.errors import Row
from paging.menu import Menu
from paging.people import Channel, Locale, Notification, Person, Policy, Severity
from paging.ports import Links, Purpose
from paging.rosters import Roster

if TYPE_CHECKING:  # it judges attempts, so it knows them
    from paging.circuit import Circuit

IncidentStatus = Literal["triggered", "acknowledged", "closed"]
PageState = Literal["running", "muted", "acknowledged", "exhausted", "closed", "replaced"]
AttemptStatus = Literal[
    "queued",
    "sending",
    "submitted",
    "ringing",
    "answered",
    "acknowledged",
    "delivered",
    "failed",
    "unconfirmed",
    "cancelled",
]
# "sent": it got there as far as anyone can tell, and may still be acted on. "postponed": it counts
# as failed, so that the chain goes on, and is sent again all the same.
TellingState = Literal["waiting", "postponed", "out", "sent", "failed", "skipped", "cancelled"]


@dataclass(slots=True)
class Incident:
    """Something is wrong.

    `opened_at`: when it was last opened or re-opened; `alerts`: how many alerts fire in it, 1 where
    it did not come from an alerting system.
    """

    number: int
    id: str
    title: str
    severity: Severity
    policy: str
    status: IncidentStatus
    created_at: datetime
    opened_at: datetime
    dedup_key: str | None = None
    details: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    link: str | None = None
    alerts: int = 1
    from_ringback: bool = False  # one of our own to the operators: never the cause of another
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_by_hand: bool = False
    muted_until: datetime | None = None


@dataclass(slots=True)
class Page:
    """One run of a policy for one incident.

    `round` and `step` count from 0; `step_ends_at` is None when nothing but its open calls keeps
    the last step going.
    """

    id: str
    incident: int
    plan: Policy
    state: PageState
    created_at: datetime
    round: int = 0
    step: int = -1
    step_ends_at: datetime | None = None
    next_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(slots=True)
class Telling:
    """One notification of one responder in one step of one page, on its way.

    `due_at` while it waits, `attempt` the one that is out. `tried`: providers used in the present
    try. `doubtful`: a submit of the present try may have been placed unseen. `hopeless`: no failure
    of this try says "again later". `postponed_by`: the provider of the present try that asked for
    some minutes, `postponements`: how often one was given them.
    """

    id: str
    page: str
    round: int
    step: int
    position: int
    responder: str
    spec: Notification
    state: TellingState
    due_at: datetime | None
    attempt: str | None = None
    tries_used: int = 0
    tried: tuple[str, ...] = ()
    doubtful: bool = False
    hopeless: bool = True
    held: bool = False  # the delay is in the timeline already
    schedule: str | None = None  # the one by which this responder was on call
    postponed_by: str | None = None
    postponements: int = 0


@dataclass(slots=True)
class Failure:
    """Why an attempt did not reach its contact, free of numbers and messages."""

    kind: str
    outcome: str
    code: str
    text: str = ""


@dataclass(slots=True)
class Attempt:
    """One message on one channel through one provider to one contact.

    `deadline_at`: when silence about it has lasted too long; None once it is over. `keys`: digits
    reported, each once, `keys_live`: those reported while it lasted; `reached`: one of them was
    acted on, which proves a human.
    """

    id: str
    ref: str
    responder: str
    channel: Channel
    address: str
    provider: str
    purpose: Purpose
    locale: Locale
    status: AttemptStatus
    created_at: datetime
    deadline_at: datetime | None
    provider_id: str | None = None
    doubtful: bool = False
    silence_s: float = 180.0
    failure: Failure | None = None
    submitted_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    keys: str = ""
    keys_live: str = ""
    reached: bool = False
    unverified: bool = False  # nobody has proved that this contact is theirs

    @property
    def is_open(self) -> bool:
        """Say whether more may be heard of it: of a call, that the line is taken."""
        return self.ended_at is None and self.deadline_at is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline. `detail` holds a `reason` and its figures; `words` speaks them."""

    type: str
    detail: Mapping[str, Any]
    responder: str | None = None
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Submit:
    """Send this message now, for this telling."""

    attempt: str
    telling: str
    responder: str
    channel: Channel
    address: str
    locale: Locale
    provider: str
    unverified: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """The attempt that finds out whether its provider works again."""

    channel: Channel
    provider: str
    circuit: "Circuit"  # as it is with this probe


@dataclass(frozen=True, slots=True)
class Alarm:
    """Tell the operators, once per `cause` while that incident of theirs is open."""

    cause: str
    reason: str
    params: Mapping[str, Any]
    severity: Severity


Command = Submit | Probe | Alarm


class Offer(Protocol):
    """What a decision may ask about a provider."""

    @property
    def purposes(self) -> frozenset[Purpose]:
        """What it has a text for."""
        ...

    def serves(self, address: str) -> bool:
        """Say whether it reaches this address."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What the installation decided; times in seconds.

    `channels`: per channel its providers in failover order. `callers`: numbers that it calls or
    texts from, as (provider, channel, number). `secret`: keys the digests of what must not be read
    out of the database.
    """

    channels: Mapping[Channel, Mapping[str, Offer]]
    menu: Menu
    operators: str | None = None
    silence_floor_s: float = 90.0
    text_silence_s: float = 120.0
    lost_answer_wait_s: float = 45.0
    lost_text_wait_s: float = 5.0
    carrier_error_wait_s: float = 5.0
    reopen_after_s: float = 3600.0
    breaker_open_s: float = 60.0
    links: Links | None = None
    callers: Sequence[tuple[str, Channel, str]] = ()
    secret: bytes = b""

    def serving(self, channel: Channel, address: str, purpose: Purpose = "page") -> list[str]:
        """Return the providers of a channel that can send this to this address, in order."""
        return [
            name
            for name, offer in self.channels.get(channel, {}).items()
            if purpose in offer.purposes and offer.serves(address)
        ]


@dataclass(frozen=True, slots=True)
class Stored:
    """A run's rows as they are in the database."""

    incident: Incident
    page: Page | None
    tellings: Sequence[Telling]


@dataclass(slots=True)
class Run:
    """An incident with its present page: all that a decision about it may look at.

    `rosters`: the schedules that its policy names, by id. `circuits`: per channel what is known of
    its providers. `lines`: address -> until when a call of ours may still be on that line.
    Functions of `pages` change the run they are given and append to `entries` and `commands`.
    `stored`: the incident, page and tellings as they were read, so that only what changed is
    written.
    """

    incident: Incident
    page: Page | None
    tellings: list[Telling]
    people: Mapping[str, Person]
    rosters: Mapping[str, Roster]
    circuits: MutableMapping[Channel, dict[str, "Circuit"]]
    lines: MutableMapping[str, datetime]
    stored: Stored
    entries: list[Entry] = field(default_factory=list[Entry])
    commands: list[Command] = field(default_factory=list[Command])

    def note(
        self,
        type_: str,
        reason: str,
        *,
        responder: str | None = None,
        attempt: str | None = None,
        **params: Any,  # noqa: ANN401 - a timeline line's figures are of any kind
    ) -> None:
        """Add a line to the timeline."""
        self.entries.append(Entry(type_, {"reason": reason, **params}, responder, attempt))


@dataclass(frozen=True, slots=True)
class Over:
    """How an attempt ended without an acknowledgement.

    `row` None: an answered call ended without a key, nothing was ever heard (`silent`), or it got
    there as far as anyone can tell (`sent`: a text was delivered, a mail was taken).
    """

    attempt: Attempt
    row: Row | None = None
    silent: bool = False
    sent: bool = False
