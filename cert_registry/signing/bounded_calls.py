"""Calls into a library that may hang: each runs on a thread of its own kind and is waited for only so long.

A call into a PKCS#11 library cannot be broken off. So the caller goes away with a clear refusal, and the thread that
hangs stays until its call returns; when as many hang as there may be, further calls are refused after the same time.
The threads are daemons: a hanging library does not keep the process from ending.
"""

import os
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Condition, Thread
from time import monotonic
from typing import Any

from cert_registry.signing.errors import TokenBusy, TokenUnavailable


class _Job:
    """A call, its outcome, and the signal that it has one."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.done = SimpleQueue[bool]()
        self.result: Any = None
        self.error: BaseException | None = None


class BoundedCalls:
    """Runs calls on a bounded number of threads, each for a bounded time.

    Args:
        name: What is called, for the refusal's sentence.
        limit_s: How long a caller waits, for a free thread and for the answer together.
        threads: How many calls may be under way at once.
        waiting: How many callers may wait for a free thread.
    """

    def __init__(self, name: str, *, limit_s: float, threads: int, waiting: int = 256) -> None:
        self._name = name
        self._limit_s = limit_s
        self._threads = threads
        self._most_waiting = waiting
        self._waiting = 0
        self._condition = Condition()
        self._process = os.getpid()
        self._idle: list[SimpleQueue[_Job]] = []
        self._started = 0

    def run(self, work: Callable[[], Any]) -> Any:
        """Return what `work` returns, raise what it raises.

        Raises:
            TokenBusy: Too many callers wait for a thread already.
            TokenUnavailable: No thread became free, or there was no answer, within the limit.
        """
        ends = monotonic() + self._limit_s
        inbox = self._take_worker()
        if inbox is None:
            raise TokenUnavailable(f"{self._name} is busy: {self._threads} calls have not returned.")
        job = _Job(work)
        inbox.put(job)
        try:
            job.done.get(timeout=max(0.0, ends - monotonic()))
        except Empty as error:
            raise TokenUnavailable(f"{self._name} did not answer within {self._limit_s:g} s.") from error
        if job.error is not None:
            raise job.error
        return job.result

    def _take_worker(self) -> "SimpleQueue[_Job] | None":
        with self._condition:
            if self._process != os.getpid():  # a forked child has none of its parent's threads
                self._process, self._idle, self._started, self._waiting = os.getpid(), [], 0, 0
            if not self._idle and self._started < self._threads:
                self._started += 1
                inbox: SimpleQueue[_Job] = SimpleQueue()
                Thread(target=self._work, args=(inbox,), daemon=True, name=self._name).start()
                return inbox
            if not self._idle and self._waiting >= self._most_waiting:
                raise TokenBusy(f"{self._name} is busy: {self._waiting} calls wait for it already.")
            self._waiting += 1
            try:
                if not self._condition.wait_for(lambda: self._idle, self._limit_s):
                    return None
                return self._idle.pop()
            finally:
                self._waiting -= 1

    def _work(self, inbox: "SimpleQueue[_Job]") -> None:
        while True:
            job = inbox.get()
            try:
                job.result = job.work()
            except BaseException as error:  # noqa: BLE001 - handed to the caller as it is
                job.error = error
            with self._condition:
                self._idle.append(inbox)
                self._condition.notify()
            job.done.put(True)
            del job
