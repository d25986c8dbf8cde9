"""SQS event source mappings: what the Lambda developer guide documents about delivery, redelivery and concurrency."""

import uuid
from dataclasses import dataclass

import pytest

from .conftest import Function, Stand
from .waiting import eventually

VISIBILITY = 2  # seconds; not below the function's timeout, which AWS refuses
HOLD = 30  # seconds in which as many invocations as may be have begun, on the slowest machine


@dataclass
class Queue:
    """A queue with its dead-letter queue."""

    sqs: object
    url: str
    dead_url: str

    @property
    def arn(self) -> str:
        return _arn(self.sqs, self.url)

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def hide_for(self, seconds: int) -> None:
        """How long a message that was received is invisible."""
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"VisibilityTimeout": str(seconds)})

    def depth(self) -> int:
        """Of messages that wait and messages that are under way."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def dead(self) -> list[str]:
        got = self.sqs.receive_message(QueueUrl=self.dead_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in got.get("Messages", [])]


@pytest.fixture
def queue(stand: Stand):
    sqs, name = stand.client("sqs"), f"q-{uuid.uuid4().hex[:8]}"
    dead_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    redrive = f'{{"deadLetterTargetArn": "{_arn(sqs, dead_url)}", "maxReceiveCount": 2}}'
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(VISIBILITY), "RedrivePolicy": redrive})["QueueUrl"]
    return Queue(sqs, url, dead_url)


@pytest.fixture
def map_queue(stand: Stand, queue: Queue):
    """Maps the queue to a function; returns the mapping's id."""
    made = []

    def make(function: Function, batch: int = 1, **settings) -> str:
        got = function.lambdas.create_event_source_mapping(
            FunctionName=function.name,
            EventSourceArn=queue.arn,
            BatchSize=batch,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **settings,
        )
        made.append((function.lambdas, got["UUID"]))
        eventually(lambda: function.lambdas.get_event_source_mapping(UUID=got["UUID"])["State"] == "Enabled")
        return got["UUID"]

    yield make
    for lambdas, uuid_ in made:
        _delete(lambdas, uuid_)


def test_as_many_at_once_as_maximum_concurrency(make_function, queue, map_queue):
    function = make_function(timeout=HOLD)
    queue.hide_for(HOLD)
    map_queue(function, ScalingConfig={"MaximumConcurrency": 3})
    queue.send(*["hold"] * 6)
    function.await_held(3)
    function.release()
    eventually(lambda: len(function.notes("end")) == 6)
    assert most_at_once(function) == 3
    eventually(lambda: queue.depth() == 0)


def test_never_more_than_reserved(make_function, queue, map_queue):
    function = make_function(timeout=2, reserved=2)
    map_queue(function, ScalingConfig={"MaximumConcurrency": 5})
    queue.send(*["sleep:0.4"] * 6)
    eventually(lambda: len(function.notes("end")) + len(queue.dead()) >= 6)
    assert most_at_once(function) <= 2


def test_throttled_lanes_pause(make_function, queue, map_queue):
    """A function that takes nothing must not cost every message its receive count within a moment."""
    function = make_function(timeout=2, reserved=0)
    map_queue(function, ScalingConfig={"MaximumConcurrency": 2})
    queue.send(*["sleep:0"] * 20)
    under_way = lambda: int(_attribute(queue, "ApproximateNumberOfMessagesNotVisible"))
    eventually(lambda: under_way() > 0)
    # Two lanes, each at once and after at least 0.25, 0.5 and 1 s; then what it took first is visible again.
    assert under_way() <= 2 * 4


def test_message_of_a_failed_item_alone_comes_again(make_function, queue, map_queue):
    function = make_function(timeout=2)
    queue.send("fail", "sleep:0")
    map_queue(function, batch=2, ScalingConfig={"MaximumConcurrency": 2})
    eventually(lambda: queue.dead() == ["fail"])
    begun = [(note[3], note[4], int(note[0])) for note in function.notes("begin")]
    assert [(body, count) for body, count, _ in begun if body == "sleep:0"] == [("sleep:0", "1")]
    first, second = [moment for body, _, moment in begun if body == "fail"]
    assert second - first >= VISIBILITY * 1000 - 50


def test_message_of_a_dead_function_comes_again_and_ends_in_the_dlq(make_function, queue, map_queue):
    function = make_function(timeout=1)
    map_queue(function)
    queue.send("sleep:60")
    eventually(lambda: queue.dead() == ["sleep:60"])
    assert [note[4] for note in function.notes("begin")] == ["1", "2"]
    assert not function.notes("end")


def test_deleted_mapping_takes_nothing_more(make_function, queue, map_queue):
    function = make_function(timeout=2)
    mapping = map_queue(function)
    queue.send("sleep:0")
    eventually(lambda: function.notes("end"))
    _delete(function.lambdas, mapping)
    queue.send("sleep:0")
    other = make_function(timeout=2)
    map_queue(other)
    eventually(lambda: other.notes("end"))
    assert len(function.notes("begin")) == 1


def test_updated_mapping_goes_on_with_its_new_lanes(make_function, queue, map_queue):
    function = make_function(timeout=HOLD)
    queue.hide_for(HOLD)
    mapping = map_queue(function, ScalingConfig={"MaximumConcurrency": 2})
    function.lambdas.update_event_source_mapping(UUID=mapping, ScalingConfig={"MaximumConcurrency": 4})
    states = lambda: [m["State"] for m in function.lambdas.list_event_source_mappings()["EventSourceMappings"] if m["UUID"] == mapping]
    eventually(lambda: states() == ["Enabled"])
    queue.send(*["hold"] * 8)
    function.await_held(4)
    function.release()
    eventually(lambda: len(function.notes("end")) == 8)
    assert most_at_once(function) == 4 and states() == ["Enabled"]


def test_mapping_survives_a_function_that_is_gone_for_a_while(make_function, queue, map_queue):
    """Whatever a poll or an invocation raises, the lanes go on."""
    function = make_function(timeout=2)
    map_queue(function, ScalingConfig={"MaximumConcurrency": 2})
    function.lambdas.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    queue.send("sleep:0")
    eventually(lambda: queue.depth() == 1 and _attribute(queue, "ApproximateNumberOfMessagesNotVisible") == "1")
    function.lambdas.delete_function_concurrency(FunctionName=function.name)
    eventually(lambda: function.notes("end"))


def most_at_once(function: Function) -> int:
    steps = sorted((int(note[0]), change) for what, change in (("begin", 1), ("end", -1)) for note in function.notes(what))
    running = most = 0
    for _, change in steps:
        running += change
        most = max(most, running)
    return most


def _attribute(queue: Queue, name: str) -> str:
    return queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=[name])["Attributes"][name]


def _arn(sqs, url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _delete(lambdas, mapping: str) -> None:
    """Deletes a mapping and waits until its lanes have ended."""
    try:
        lambdas.delete_event_source_mapping(UUID=mapping)
        eventually(lambda: lambdas.get_event_source_mapping(UUID=mapping) is None)
    except lambdas.exceptions.ResourceNotFoundException:
        pass
