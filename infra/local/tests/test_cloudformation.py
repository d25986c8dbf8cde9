"""What the plug-in adds to LocalStack's CloudFormation."""

import inspect

import pytest
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
from localstack_process import resources

from .conftest import Stand
from .waiting import eventually

TEMPLATE = """
Parameters:
  Limit: {Type: String}
Mappings:
  Timeouts: {"2": {Seconds: 12}, "3": {Seconds: 18}}
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: reserved
      Runtime: provided.al2023
      Handler: bootstrap
      Role: arn:aws:iam::000000000000:role/probe
      ReservedConcurrentExecutions: !Ref Limit
      Timeout: !FindInMap [Timeouts, !Ref Limit, Seconds]
      Code: {S3Bucket: probes, S3Key: probe.zip}
"""


@pytest.fixture
def stack(stand: Stand, code):
    objects, formation = stand.client("s3"), stand.client("cloudformation")
    objects.create_bucket(Bucket="probes")
    objects.put_object(Bucket="probes", Key="probe.zip", Body=code)

    def deploy(kind: str, limit: int) -> None:
        """The way of `sam deploy`: by change set."""
        change = formation.create_change_set(
            StackName="probe",
            ChangeSetName=f"to-{limit}",
            ChangeSetType=kind,
            TemplateBody=TEMPLATE,
            Parameters=[{"ParameterKey": "Limit", "ParameterValue": str(limit)}],
        )["Id"]
        eventually(lambda: formation.describe_change_set(ChangeSetName=change)["Status"] == "CREATE_COMPLETE")
        formation.execute_change_set(ChangeSetName=change)
        eventually(lambda: formation.describe_stacks(StackName="probe")["Stacks"][0]["StackStatus"] == f"{kind}_COMPLETE")

    yield deploy
    formation.delete_stack(StackName="probe")


def test_stack_is_made_and_changed(stand: Stand, stack):
    lambdas = stand.client("lambda")
    reserved = lambda: lambdas.get_function_concurrency(FunctionName="reserved")["ReservedConcurrentExecutions"]
    timeout = lambda: lambdas.get_function_configuration(FunctionName="reserved")["Timeout"]

    stack("CREATE", 2)
    assert (reserved(), timeout()) == (2, 12)
    stack("UPDATE", 3)
    assert (reserved(), timeout()) == (3, 18)


def test_resources_are_looked_at_often():
    """LocalStack sleeps 5 s between two looks."""
    loop = ResourceProviderExecutor.deploy_loop
    quick = resources.often(loop)
    assert (quick.func, quick.keywords) == (loop, {"sleep_time": resources.INTERVAL})
    assert inspect.signature(loop).parameters["sleep_time"].default > resources.INTERVAL
