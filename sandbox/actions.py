"""What one action of a carrier's API is made of, for the fronts that take the requests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.box import Box
from sandbox.calls import Call
from sandbox.mails import Mail
from sandbox.texts import Text


class Begin(Protocol):
    """Sets going what was asked for."""

    async def __call__(self, *, at_once: bool) -> None:
        """Do it; `at_once`: all that comes of it by itself has been pushed before it returns."""
        ...


def placing(box: Box, call: Call) -> Begin:
    """Return what places this call."""

    async def begin(*, at_once: bool) -> None:
        box.exchange.place(call, at_once=at_once)
        if at_once:
            await box.settle(call)

    return begin


def sending(box: Box, texts: list[Text]) -> Begin:
    """Return what sends these texts."""

    async def begin(*, at_once: bool) -> None:
        box.texts.send(texts, at_once=at_once)
        if at_once:
            await box.pusher.idle()

    return begin


def receiving(box: Box, mails: list[Mail]) -> Begin:
    """Return what puts these mails into their mailboxes."""

    async def begin(*, at_once: bool) -> None:  # noqa: ARG001 - a mail never takes longer
        for mail in mails:
            box.receive(mail)

    return begin


async def _nothing(*, at_once: bool) -> None:
    """Set nothing going: the action only asks."""


@dataclass(frozen=True, slots=True)
class Done:
    """What comes of a right request: what to note of it (`id`, `verdict`), answer and set going."""

    id: str | None
    body: dict[str, Any]
    begin: Begin = _nothing
    verdict: str = "accepted"


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    `do` takes the action's name and parameters, checks everything and raises RefusedError.
    `numbers` tells the numbers that it concerns, E.164 where they are right. `empty` is the
    success that lacks its id. Without `empty` the action only asks, and no fault hits it.
    """

    do: Callable[[Box, str, dict[str, Any]], Done]
    numbers: Callable[[dict[str, Any]], list[str]] = lambda _: []
    empty: dict[str, Any] | None = None
