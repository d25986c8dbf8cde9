"""The gate between the polling of a queue and the invocation of its function.

Owns the turn to poll, which a lane hands on when its batch goes to the function; the refusal of batches that come after the mapping's
end; and the notice that a function was throttled, which LocalStack's poller swallows. Polling on at once against a function whose
reserved concurrency is used up would run every message through its receive count within seconds; AWS' pollers back off.
"""

import contextlib
import threading
from collections.abc import Iterator

from botocore.exceptions import ClientError
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller


class MappingEnded(Exception):
    """Keeps the poller from deleting messages that no function has seen."""


class Turn:
    """A lane's turn to poll, and what became of the batch that it brought."""

    def __init__(self, lock: threading.Lock):
        self._lock = lock
        self._held = lock.acquire()
        self.throttled = False

    def hand_on(self) -> None:
        if self._held:
            self._held = False
            self._lock.release()


class Gate:
    """Stands in for the poller's processor."""

    def __init__(self, poller: SqsPoller, stopping: threading.Event):
        self._processor = poller.processor
        self._client, self._queue_url = poller.source_client, poller.queue_url
        self._stopping = stopping
        self._polling = threading.Lock()
        self._lane = threading.local()

    @contextlib.contextmanager
    def turn(self) -> Iterator[Turn]:
        """Waits for the calling lane's turn."""
        self._lane.turn = Turn(self._polling)
        try:
            yield self._lane.turn
        finally:
            self._lane.turn.hand_on()

    def process_events_batch(self, events: list[dict]) -> None:
        """Called by the poller, in the lane's thread, with what it received."""
        if self._stopping.is_set():  # the long poll was out when the mapping ended
            self._give_back(events)
            raise MappingEnded
        turn = self._lane.turn
        turn.hand_on()
        try:
            self._processor.process_events_batch(events)
        except ClientError as error:
            turn.throttled = error.response["Error"]["Code"] == "TooManyRequestsException"
            raise

    def _give_back(self, events: list[dict]) -> None:
        for event in events:
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=event["receiptHandle"], VisibilityTimeout=0
            )
