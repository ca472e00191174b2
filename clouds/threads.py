"""Bounded threads for the SDKs, which block and have no deadline of their own.

Not concurrent.futures: its threads are joined at exit, and one that hangs in an SDK would hold the
service up. A call past its deadline is given up and its thread written off until it returns.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """A call took too long. `began`: its function may have had an effect; else it never will."""

    def __init__(self, *, began: bool) -> None:
        super().__init__(f"began: {began}")
        self.began = began


class NoThreadLeftError(Exception):
    """Every thread of the pool is written off: nothing can be called for now."""


@dataclass(slots=True)
class _Job:
    run: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    state: Literal["waiting", "running", "done", "given_up"] = "waiting"
    lock: threading.Lock = field(default_factory=threading.Lock)


class CallPool:
    """At most `threads` calls at once; more wait their turn, within their own deadlines."""

    def __init__(self, name: str, threads: int) -> None:
        self._name, self._most = name, threads
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = self._idle = 0
        self.written_off = 0

    async def run(self, fn: Callable[[], T], *, deadline_s: float) -> T:
        """Run `fn` in a thread. Raises what it raises, DeadlineError, or NoThreadLeftError."""
        if self.written_off >= self._most:
            raise NoThreadLeftError(self._name)
        loop = asyncio.get_running_loop()
        job = _Job(fn, loop, loop.create_future())
        self._hand_over(job)
        limit = asyncio.timeout(deadline_s)
        try:
            async with limit:
                return await job.future
        except TimeoutError as exc:
            if not limit.expired():  # the function's own
                raise
            raise DeadlineError(began=self._give_up(job)) from exc
        except asyncio.CancelledError:
            self._give_up(job)
            raise

    def close(self) -> None:
        """Let idle threads end; one that hangs ends with the process."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _hand_over(self, job: _Job) -> None:
        with self._lock:
            if self._idle == 0 and self._threads < self._most:
                self._threads += 1
                threading.Thread(
                    target=self._work, name=f"{self._name}-{self._threads}", daemon=True
                ).start()
            elif self._idle:
                self._idle -= 1
        self._jobs.put(job)

    def _give_up(self, job: _Job) -> bool:
        """Return whether the job's function had begun."""
        with job.lock:
            began = job.state != "waiting"
            if job.state == "running":
                with self._lock:
                    self.written_off += 1
            job.state = "given_up"
        return began

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with job.lock:
                wanted = job.state == "waiting"
                if wanted:
                    job.state = "running"
            said = _outcome(job.run) if wanted else None
            with self._lock:
                self._idle += 1  # before anyone hears of it, and asks for a thread again
            if said is not None:
                self._finish(job, *said)

    def _finish(self, job: _Job, result: object, error: BaseException | None) -> None:
        with job.lock:
            if job.state == "given_up":
                with self._lock:
                    self.written_off -= 1
                return
            job.state = "done"
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            job.loop.call_soon_threadsafe(_settle, job.future, result, error)


def _outcome(run: Callable[[], Any]) -> tuple[object, BaseException | None]:
    try:
        return run(), None
    except Exception as exc:  # noqa: BLE001 - carried to whoever awaits it
        return None, exc


def _settle(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
