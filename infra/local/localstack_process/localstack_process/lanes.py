"""Lanes: the concurrency of an SQS event source mapping.

Owns how many batches of a mapping are under way at a time: as many as MaximumConcurrency says. LocalStack polls in one lane that sleeps
between messages. What a delivery means (filters, partial failures, deletion) stays LocalStack's.
"""

import logging
import random
import threading
import time

from localstack.services.lambda_.event_source_mapping.pollers.poller import EmptyPollResultsException
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller

from .gate import Gate

LOG = logging.getLogger(__name__)
DEFAULT_LANES = 5  # what AWS starts with when a mapping has no MaximumConcurrency
LONG_POLL = 2  # seconds: returns at once when a message is there; bounds how long a deleted mapping lingers
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds, after a throttled invocation or a failed poll


class Lanes:
    """Stands in for a mapping's poller: LocalStack's loop calls poll_events until its shutdown event is set, then close.

    The lanes take turns at polling and invoke side by side: an idle mapping costs one request under way, and when the mapping ends, no
    more than one poll is out that may still bring messages.
    """

    def __init__(self, poller: SqsPoller, count: int, stopping: threading.Event):
        self._poller = poller
        self._count = count
        self._stopping = stopping
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        poller.maximum_batching_window = max(poller.maximum_batching_window, LONG_POLL)
        poller.processor = self._gate = Gate(poller, stopping)

    def poll_events(self) -> None:
        """Runs the lanes until the mapping is disabled, deleted or replaced."""
        with self._lock:
            if not self._threads:
                self._threads = [self._start(number) for number in range(self._count)]
        self._stopping.wait()

    def close(self) -> None:
        """Waits for the lane that polls; those that await their function's answer finish by themselves and take nothing new."""
        with self._lock:
            threads, self._threads = self._threads, []
        deadline = time.monotonic() + LONG_POLL
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))
        self._poller.close()

    def _start(self, number: int) -> threading.Thread:
        thread = threading.Thread(target=self._run, name=f"lane-{number}-{self._poller.source_arn}", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            if self._step():
                pause = FIRST_PAUSE
            else:
                self._stopping.wait(pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, LONGEST_PAUSE)

    def _step(self) -> bool:
        """One poll and its invocation; False asks for a pause. Nothing that happens in it may end the lane."""
        with self._gate.turn() as turn:
            if self._stopping.is_set():  # the turn was waited for
                return True
            try:
                self._poller.poll_events()
            except EmptyPollResultsException:
                pass
            except Exception as error:
                if not self._stopping.is_set():
                    LOG.warning("polling %s failed: %s", self._poller.source_arn, error)
                return False
        return not turn.throttled


def give_to(worker) -> None:
    """Gives a mapping's worker its lanes, once."""
    if isinstance(worker.poller, SqsPoller):
        scaling = worker.esm_config.get("ScalingConfig") or {}
        worker.poller = Lanes(worker.poller, scaling.get("MaximumConcurrency", DEFAULT_LANES), worker._shutdown_event)


def await_end_of(worker) -> None:
    """Waits for a worker that was told to stop. An update stops one and starts another at once: "Disabled", the last word of the
    first, would else come after "Enabled" from the second."""
    thread = worker._poller_thread
    if thread and thread is not threading.current_thread():
        thread.join(2 * LONG_POLL)
