"""What the API asks of the engine; `paging.service.Paging` satisfies it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from paging.people import Policy, Responder
from paging.requests import AlertGroup, NewIncident
from paging.schedules import Schedule
from paging.teams import Section, Team

Json = dict[str, Any]


class PagingApi(Protocol):
    """Answers are in the API's own shape: times RFC 3339 in UTC, addresses whole.

    Any of them raises InvalidError, NotFoundError, ConflictError or UnavailableError.
    """

    async def open_incident(self, new: NewIncident) -> tuple[Json, bool]:
        """Accept an incident; the second value is false when it was open already."""
        ...

    async def list_incidents(
        self, status: str | None, severity: str | None, cursor: str | None, limit: int
    ) -> Json:
        """Return `{"items": [...], "next": cursor or None}`, newest first."""
        ...

    async def incident(self, id_: str) -> Json:
        """Return one incident, by id or number, with `attempts` and `timeline`."""
        ...

    async def act(  # noqa: PLR0913 - one request's fields
        self,
        id_: str,
        action: str,
        *,
        by: str | None,
        by_name: str,
        note: str | None,
        until: datetime | None,
    ) -> Json:
        """Acknowledge, unacknowledge, mute (`until`), unmute, close or escalate."""
        ...

    async def alertmanager(self, policy: str, group: AlertGroup) -> Json:
        """Return `{"incident": {...} or None, "action": "opened|repeated|closed|reopened|…"}`."""
        ...

    async def put_responder(self, id_: str, value: Responder) -> tuple[Json, bool]:
        """Create or replace; the second value says whether it was created."""
        ...

    async def responder(self, id_: str) -> Json:
        """Return one responder."""
        ...

    async def responders(self) -> list[Json]:
        """Return all responders."""
        ...

    async def delete_responder(self, id_: str) -> None:
        """Delete a responder whom no policy and no schedule names."""
        ...

    async def put_policy(self, id_: str, value: Policy) -> tuple[Json, bool]:
        """Create or replace; the second value says whether it was created."""
        ...

    async def policy(self, id_: str) -> Json:
        """Return one policy."""
        ...

    async def policies(self) -> list[Json]:
        """Return all policies."""
        ...

    async def delete_policy(self, id_: str) -> None:
        """Delete a policy that nothing needs."""
        ...

    async def put_schedule(self, id_: str, value: Schedule) -> tuple[Json, bool]:
        """Create or replace; the second value says whether it was created."""
        ...

    async def schedule(self, id_: str) -> Json:
        """Return one schedule."""
        ...

    async def schedules(self) -> list[Json]:
        """Return all schedules."""
        ...

    async def delete_schedule(self, id_: str) -> None:
        """Delete a schedule that no policy names."""
        ...

    async def on_call(self, id_: str, at: datetime | None) -> Json:
        """Return who is on call by a schedule, now or at a time, and who is next."""
        ...

    async def why(self, incident: str, responder: str) -> Json:
        """Return in words why this person was or was not told of this incident."""
        ...

    async def apply(self, team: Team, *, dry_run: bool, prune: Collection[Section] = ()) -> Json:
        """Change a team, all or nothing; return `{"changes": [...]}`."""
        ...

    async def test_responder(self, id_: str, channel: str, provider: str | None) -> Json:
        """Start a drill; return its attempt."""
        ...

    async def send_code(self, responder: str, channel: str) -> Json:
        """Send a code by which a contact proves itself; return its attempt."""
        ...

    async def confirm_code(self, responder: str, channel: str, code: str) -> Json:
        """Note a contact as proved; return its responder."""
        ...

    async def callers(self) -> list[Json]:
        """Return `{"number", "provider", "channel"}` of every number that may call or text."""
        ...

    async def linked(self, number: int, responder: str, made_at: datetime) -> Json:
        """Return what an acknowledge link shows.

        `{"incident", "responder": {"id", "name", "locale", "timezone"}, "owner": name or None,
        "counts": whether it may still be acknowledged by this link}`.
        """
        ...

    async def acknowledge_by_link(self, number: int, responder: str, made_at: datetime) -> Json:
        """Acknowledge for this responder; return the same, with `first`."""
        ...

    async def attempt(self, id_: str) -> Json:
        """Return one attempt."""
        ...

    async def list_attempts(
        self, incident: str | None, responder: str | None, cursor: str | None, limit: int
    ) -> Json:
        """Return `{"items": [...], "next": cursor or None}`."""
        ...

    async def providers(self) -> list[Json]:
        """Return how each provider does on each channel."""
        ...

    async def ready(self) -> None:
        """Return when an incident can be taken. Raises UnavailableError with the reason."""
        ...
