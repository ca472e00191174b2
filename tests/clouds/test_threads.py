"""Bounded threads with a deadline over each call."""

import asyncio
import queue
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from clouds.threads import CallPool, DeadlineError, NoThreadLeftError

SOON_S, LONG_S = 0.05, 10.0


class Gate:
    """A function that hangs until the gate is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._entered: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.inside = self.most_inside = 0

    def __call__(self) -> str:
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self._entered.put(threading.get_ident())
        assert self._open.wait(LONG_S)
        with self._lock:
            self.inside -= 1
        return "through"

    async def entered(self) -> None:
        """Return when one more has entered."""
        await asyncio.to_thread(self._entered.get, timeout=LONG_S)

    def nobody_waits_inside(self) -> bool:
        return self._entered.empty()

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


def use(threads: int, work: Callable[[CallPool], Awaitable[None]]) -> None:
    """Use a pool in a loop of its own."""

    async def run() -> None:
        pool = CallPool("pool", threads)
        try:
            await asyncio.wait_for(work(pool), LONG_S)
        finally:
            pool.close()

    asyncio.run(run())


async def returned(pool: CallPool) -> None:
    """Wait until no thread is written off any more: nothing tells of it."""
    while pool.written_off:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def test_a_call_returns_what_its_function_does() -> None:
    async def work(pool: CallPool) -> None:
        assert await pool.run(lambda: 7, deadline_s=LONG_S) == 7

    use(1, work)


@pytest.mark.parametrize("error", [ValueError("wrong"), TimeoutError("the function's own")])
def test_a_call_raises_what_its_function_raises(error: Exception) -> None:
    """A time-out inside the function says nothing of the deadline."""

    def fail() -> None:
        raise error

    async def work(pool: CallPool) -> None:
        with pytest.raises(type(error)) as caught:
            await pool.run(fail, deadline_s=LONG_S)
        assert caught.value is error
        assert pool.written_off == 0

    use(1, work)


def test_threads_are_used_again() -> None:
    async def work(pool: CallPool) -> None:
        idents = [await pool.run(threading.get_ident, deadline_s=LONG_S) for _ in range(20)]
        assert len(set(idents)) == 1
        assert threading.get_ident() not in idents

    use(8, work)


def test_no_more_than_so_many_run_at_once_and_the_others_wait_their_turn(gate: Gate) -> None:
    async def work(pool: CallPool) -> None:
        calls = [asyncio.create_task(pool.run(gate, deadline_s=LONG_S)) for _ in range(7)]
        for _ in range(3):
            await gate.entered()
        assert gate.nobody_waits_inside()
        gate.open()
        assert await asyncio.gather(*calls) == ["through"] * 7
        assert gate.most_inside == 3

    use(3, work)


def test_a_call_past_its_deadline_is_given_up_and_the_pool_goes_on(gate: Gate) -> None:
    async def work(pool: CallPool) -> None:
        with pytest.raises(DeadlineError) as caught:
            await pool.run(gate, deadline_s=SOON_S)
        assert caught.value.began
        assert pool.written_off == 1
        assert await pool.run(lambda: "other", deadline_s=LONG_S) == "other"
        gate.open()
        await returned(pool)

    use(2, work)


def test_a_thread_that_returns_is_of_use_again(gate: Gate) -> None:
    async def work(pool: CallPool) -> None:
        with pytest.raises(DeadlineError):
            await pool.run(gate, deadline_s=SOON_S)
        with pytest.raises(NoThreadLeftError):
            await pool.run(lambda: "refused", deadline_s=LONG_S)
        gate.open()
        await returned(pool)
        assert await pool.run(lambda: "taken", deadline_s=LONG_S) == "taken"

    use(1, work)


def test_a_function_that_fails_after_its_deadline_gives_its_thread_back() -> None:
    opened = threading.Event()

    def fail() -> None:
        opened.wait(LONG_S)
        raise ValueError

    async def work(pool: CallPool) -> None:
        with pytest.raises(DeadlineError):
            await pool.run(fail, deadline_s=SOON_S)
        opened.set()
        await returned(pool)
        assert await pool.run(lambda: "taken", deadline_s=LONG_S) == "taken"

    use(1, work)


def test_a_call_that_waited_past_its_deadline_is_never_begun(gate: Gate) -> None:
    """Whoever gave it up has called somebody else by now: it must not ring after all."""
    begun: list[str] = []

    async def work(pool: CallPool) -> None:
        first = asyncio.create_task(pool.run(gate, deadline_s=LONG_S))
        await gate.entered()
        with pytest.raises(DeadlineError) as caught:
            await pool.run(lambda: begun.append("late"), deadline_s=SOON_S)
        assert not caught.value.began
        assert pool.written_off == 0
        gate.open()
        assert await first == "through"
        await pool.run(lambda: begun.append("next"), deadline_s=LONG_S)

    use(1, work)
    assert begun == ["next"]


def test_a_cancelled_call_counts_as_written_off_until_it_returns(gate: Gate) -> None:
    async def work(pool: CallPool) -> None:
        call = asyncio.create_task(pool.run(gate, deadline_s=LONG_S))
        await gate.entered()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert pool.written_off == 1
        gate.open()
        await returned(pool)

    use(2, work)


def test_a_call_that_is_cancelled_while_it_waits_is_never_begun(gate: Gate) -> None:
    begun: list[str] = []

    async def work(pool: CallPool) -> None:
        first = asyncio.create_task(pool.run(gate, deadline_s=LONG_S))
        await gate.entered()
        second = asyncio.create_task(pool.run(lambda: begun.append("2"), deadline_s=LONG_S))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert pool.written_off == 0
        gate.open()
        await first
        await pool.run(lambda: begun.append("3"), deadline_s=LONG_S)

    use(1, work)
    assert begun == ["3"]


def test_closing_ends_every_thread_that_is_idle_and_later_the_others(gate: Gate) -> None:
    seen: list[threading.Thread] = []

    def note() -> Any:
        seen.append(threading.current_thread())
        return gate()

    async def work(pool: CallPool) -> None:
        calls = [asyncio.create_task(pool.run(note, deadline_s=LONG_S)) for _ in range(3)]
        for _ in calls:
            await gate.entered()
        pool.close()
        gate.open()
        await asyncio.gather(*calls)

    use(3, work)
    for thread in seen:
        thread.join(LONG_S)
    assert [thread.is_alive() for thread in seen] == [False] * 3


def test_a_call_that_outlives_its_loop_ends_quietly(gate: Gate) -> None:
    seen: list[threading.Thread] = []

    def note() -> Any:
        seen.append(threading.current_thread())
        return gate()

    pool, loop = CallPool("pool", 1), asyncio.new_event_loop()
    call = loop.create_task(pool.run(note, deadline_s=LONG_S))
    loop.run_until_complete(gate.entered())
    call._log_destroy_pending = False  # it is left behind on purpose
    loop.close()
    pool.close()
    gate.open()
    seen[0].join(LONG_S)  # an exception in a thread fails the test
    assert not seen[0].is_alive()


HANGING = """
import asyncio, threading
from clouds.threads import CallPool, DeadlineError
try:
    asyncio.run(CallPool("pool", 1).run(threading.Event().wait, deadline_s=0.01))
except DeadlineError:
    print("given up")
"""


def test_a_call_that_hangs_for_ever_does_not_keep_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == "given up\n"
