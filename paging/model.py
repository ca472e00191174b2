"""The rows that decisions are made on, as plain values."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from paging.errors import Row
from paging.menu import Menu
from paging.people import Locale, Notification, Policy, Responder, Severity

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
TellingState = Literal["waiting", "out", "failed", "skipped", "cancelled"]


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
    of this try says "again later".
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


@dataclass(slots=True)
class Failure:
    """Why an attempt did not reach its contact, free of numbers and messages."""

    kind: str
    outcome: str
    code: str
    text: str = ""


@dataclass(slots=True)
class Attempt:
    """One call.

    `deadline_at`: when silence about it has lasted too long; None once it is over. `keys`: digits
    reported, each once, `keys_live`: those reported while it lasted; `reached`: one of them was
    acted on, which proves a human.
    """

    id: str
    ref: str
    responder: str
    channel: str
    address: str
    provider: str
    purpose: Literal["page", "test"]
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

    @property
    def is_open(self) -> bool:
        """Say whether the phone may still be ringing or in the call."""
        return self.ended_at is None and self.deadline_at is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline. `detail` holds a `reason` and its figures; `words` speaks them."""

    type: str
    detail: Mapping[str, Any]
    responder: str | None = None
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Dial:
    """Place this call now, for this telling."""

    attempt: str
    telling: str
    responder: str
    address: str
    locale: Locale
    provider: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Tell the operators, once per `cause` while that incident of theirs is open."""

    cause: str
    reason: str
    params: Mapping[str, Any]
    severity: Severity


Command = Dial | Alarm


@dataclass(frozen=True, slots=True)
class Rules:
    """What the installation decided; times in seconds.

    `voice`: providers in failover order, each with the test of the numbers it serves.
    """

    voice: Mapping[str, Callable[[str], bool]]
    menu: Menu
    operators: str | None = None
    silence_floor_s: float = 90.0
    lost_answer_wait_s: float = 45.0
    carrier_error_wait_s: float = 5.0
    reopen_after_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A run's rows as they are in the database."""

    incident: Incident
    page: Page | None
    tellings: Sequence[Telling]


@dataclass(slots=True)
class Run:
    """An incident with its present page: all that a decision about it may look at.

    `lines`: address -> until when a call of ours may still be on that line. Functions of `pages`
    change the run they are given and append to `entries` and `commands`. `stored`: the incident,
    page and tellings as they were read, so that only what changed is written.
    """

    incident: Incident
    page: Page | None
    tellings: list[Telling]
    people: Mapping[str, Responder]
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

    `row` None: an answered call ended without a key, or nothing was ever heard (`silent`).
    """

    attempt: Attempt
    row: Row | None = None
    silent: bool = False
