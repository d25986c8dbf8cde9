"""Lanes: the concurrency of an SQS event source mapping.

Owns how many messages of a mapping are under way at a time: as many as MaximumConcurrency says, each lane long-polling the queue and
waiting for its own invocation. LocalStack polls in one lane that sleeps between messages. What a delivery means (filters, partial
failures, deletion) stays LocalStack's.
"""

import logging
import random
import threading

from botocore.exceptions import ClientError
from localstack.services.lambda_.event_source_mapping.pollers.poller import EmptyPollResultsException
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller

LOG = logging.getLogger(__name__)
DEFAULT_LANES = 5  # what AWS starts with when a mapping has no MaximumConcurrency
LONG_POLL = 2  # seconds: returns at once when a message is there; bounds how long a deleted mapping lingers
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds, after a throttled invocation or a failed poll


class Lanes:
    """Stands in for a mapping's poller: LocalStack's loop calls poll_events until its shutdown event is set, then close."""

    def __init__(self, poller: SqsPoller, count: int, stopping: threading.Event):
        self._poller = poller
        self._count = count
        self._stopping = stopping
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        poller.maximum_batching_window = max(poller.maximum_batching_window, LONG_POLL)
        poller.processor = self._throttle = ThrottleSense(poller.processor)

    def poll_events(self) -> None:
        """Runs the lanes until the mapping is disabled, deleted or replaced."""
        with self._lock:
            if not self._threads:
                self._threads = [self._start(number) for number in range(self._count)]
        self._stopping.wait()

    def close(self) -> None:
        """Waits for the lanes that poll; one that awaits its function's answer finishes by itself and takes nothing new."""
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(LONG_POLL + 1)
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
        self._throttle.reset()
        try:
            self._poller.poll_events()
        except EmptyPollResultsException:
            return True
        except Exception as error:
            if not self._stopping.is_set():
                LOG.warning("polling %s failed: %s", self._poller.source_arn, error)
            return False
        return not self._throttle.seen


class ThrottleSense:
    """Passes batches on, and remembers for each lane whether its function was throttled.

    LocalStack's poller logs a refused invocation and polls on at once. Against a function whose reserved concurrency is used up, that
    would run every message through its receive count within seconds; AWS' pollers back off, so the lanes do.
    """

    def __init__(self, processor):
        self._processor = processor
        self._lane = threading.local()

    @property
    def seen(self) -> bool:
        return getattr(self._lane, "throttled", False)

    def reset(self) -> None:
        self._lane.throttled = False

    def process_events_batch(self, events) -> None:
        try:
            self._processor.process_events_batch(events)
        except ClientError as error:
            self._lane.throttled = error.response["Error"]["Code"] == "TooManyRequestsException"
            raise

    def __getattr__(self, name):
        return getattr(self._processor, name)


def of_worker(worker) -> None:
    """Gives a mapping's worker its lanes, once."""
    if isinstance(worker.poller, SqsPoller):
        scaling = worker.esm_config.get("ScalingConfig") or {}
        worker.poller = Lanes(worker.poller, scaling.get("MaximumConcurrency", DEFAULT_LANES), worker._shutdown_event)
