"""Functions as processes: what Lambda documents about one invocation."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from .conftest import exists, zipped
from .waiting import eventually


def test_environment_is_the_functions_own(make_function, stand):
    payload = make_function(COLOUR="blue").invoke().payload
    variables = dict(entry.split("=", 1) for entry in payload["environment"])
    assert variables["COLOUR"] == "blue"
    assert variables["AWS_ENDPOINT_URL"] == stand.localstack.endpoint
    assert "HOME" not in variables and "GATEWAY_LISTEN" not in variables
    assert payload["temporary"] == variables["TMPDIR"]


def test_temporary_folders_are_apart(make_function):
    one, other = make_function(), make_function()
    assert one.invoke().payload["temporary"] != other.invoke().payload["temporary"]


def test_process_is_kept_between_invocations(make_function):
    function = make_function()
    first, second = function.invoke(), function.invoke()
    assert first.payload["pid"] == second.payload["pid"]
    assert "Init Duration" in first.log and "Init Duration" not in second.log


def test_large_answer_in_chunks(make_function):
    answer = make_function().invoke(do="answer", size=5_000_000)
    assert answer.error is None and len(answer.payload) == 5_000_000


def test_answer_beyond_the_limit(make_function):
    answer = make_function().invoke(do="answer", size=7_000_000)
    assert answer.error and answer.payload["errorType"] == "Function.ResponseSizeTooLarge"


def test_timeout_kills_the_whole_group(make_function):
    function = make_function(timeout=4)  # in which a child starts on the slowest machine
    before = function.invoke().payload["pid"]
    answer = function.invoke(do="hang with a child")
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 4.00 seconds")
    (note,) = function.notes("child")
    assert note[2] == str(before)
    eventually(lambda: not exists(note[2]) and not exists(note[3]))
    assert function.invoke().payload["pid"] != before


@pytest.mark.parametrize(
    ("what", "words"), [("exit", "Runtime exited with error: exit status 3"), ("kill", "Runtime exited with error: signal: killed")]
)
def test_exit_is_reported_and_mended(make_function, what, words):
    function = make_function()
    answer = function.invoke(do=what)
    assert answer.payload["errorType"] == "Runtime.ExitError" and answer.payload["errorMessage"].endswith(words)
    assert function.invoke().error is None


def test_error_reaches_the_caller(make_function):
    answer = make_function().invoke(do="fail")
    assert answer.error == "Unhandled"
    assert answer.payload == {"errorType": "ProbeError", "errorMessage": "as told"}


@pytest.mark.parametrize(("how", "kind"), [("error", "ProbeInit"), ("exit", "Runtime.ExitError")])
def test_init_error_is_the_answer(make_function, how, kind):
    answer = make_function(INIT=how).invoke()
    assert answer.error and answer.payload["errorType"] == kind


def test_bootstrap_that_cannot_run(make_function):
    answer = make_function(code=zipped(b"\x7fELF of another world")).invoke()
    assert answer.payload["errorType"] == "Runtime.InvalidEntrypoint"


def test_log_is_in_the_answer_and_in_cloudwatch(make_function, stand):
    function = make_function()
    log = function.invoke(do="print", size=100).log
    assert log.startswith("START RequestId:") and "xxx" in log and "REPORT RequestId:" in log
    logs = stand.client("logs")
    stored = lambda: logs.filter_log_events(logGroupName=f"/aws/lambda/{function.name}", filterPattern="REPORT")["events"]
    eventually(lambda: _unless_missing(stored))


def test_log_is_bounded(make_function, stand):
    function = make_function()
    assert function.invoke(do="print", size=3_000_000).error is None
    text = (stand.folder.log / "functions" / f"{function.name}.log").read_text()
    assert "bytes of older output dropped" in text and len(text) < 300_000


def test_concurrent_invocations_have_processes_of_their_own(make_function):
    function = make_function(timeout=30)
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(function.invoke, do="hold") for _ in range(3)]
        function.await_held(3)
        function.release()
    assert len({answer.result().payload["pid"] for answer in running}) == 3


def test_reserved_concurrency_refuses_the_third(make_function):
    function = make_function(timeout=30, reserved=2)
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(function.invoke, do="hold") for _ in range(2)]
        function.await_held(2)
        with pytest.raises(ClientError) as refusal:
            function.invoke()
        function.release()
    assert refusal.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert [answer.result().error for answer in running] == [None, None]


def test_update_lets_the_running_invocation_finish(make_function):
    function = make_function(timeout=30)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(function.invoke, do="hold")
        function.await_held(1)
        function.lambdas.update_function_configuration(FunctionName=function.name, Timeout=20)
        function.release()
        assert running.result().error is None


def test_sigterm_comes_first(make_function):
    function = make_function(INIT="notice-term")
    pid = function.invoke().payload["pid"]
    function.lambdas.update_function_configuration(FunctionName=function.name, Timeout=20)
    eventually(lambda: function.notes("term"))
    eventually(lambda: not exists(pid))


def _unless_missing(call):
    try:
        return call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"
        return None
