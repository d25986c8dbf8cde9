"""What the plug-in changes of LocalStack's Step Functions."""

import json
from types import SimpleNamespace

import pytest
from jsonpath_ng.ext import parse
from localstack_process import state_machines

from .conftest import ROLE, Stand
from .waiting import eventually


@pytest.fixture
def execute(stand: Stand):
    """Runs a machine that passes its input on by paths, and gives what came out."""
    states = stand.client("stepfunctions")
    copy = {"Type": "Pass", "Parameters": {"n.$": "$.rows[0].n", "from.$": "$.from"}, "ResultPath": "$.copy.of", "End": True}
    definition = json.dumps({"StartAt": "Copy", "States": {"Copy": copy}})
    machine = states.create_state_machine(name="copy", definition=definition, roleArn=ROLE)["stateMachineArn"]

    def run(**given) -> dict:
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        eventually(lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
        return json.loads(states.describe_execution(executionArn=execution)["output"])

    yield run
    states.delete_state_machine(stateMachineArn=machine)


def test_executions_share_paths_and_no_data(execute):
    for given in ({"rows": [{"n": 1}], "from": "a"}, {"rows": [{"n": [2, 3]}], "from": {"b": None}}):
        assert execute(**given) == {**given, "copy": {"of": {"n": given["rows"][0]["n"], "from": given["from"]}}}


def test_a_path_is_parsed_once():
    parsed = []
    remembered = state_machines.remembered(lambda path: parsed.append(path) or parse(path))
    found = [[match.value for match in remembered("$.run").find(data)] for data in ({"run": 1}, {"run": 2}, {})]
    assert (found, parsed) == ([[1], [2], []], ["$.run"])


def test_a_role_has_one_client_for_a_service():
    made = []
    client_for = state_machines.kept(lambda **given: made.append(given) or len(made))
    one, other = SimpleNamespace(role_arn="one"), SimpleNamespace(role_arn="other")
    asked = [("lambda", "here", one), ("lambda", "here", one), ("lambda", "here", other), ("lambda", "there", one), ("states", "here", one)]
    assert [client_for(service=s, region=r, state_credentials=c) for s, r, c in asked] == [1, 1, 2, 3, 4]
    assert made[1] == {"service": "lambda", "region": "here", "state_credentials": other}
