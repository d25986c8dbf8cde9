"""What LocalStack's CloudFormation leaves out or draws out when it makes resources.

Owns the interval at which it looks whether a resource is ready, and the reserved concurrency of functions, which it ignores.
"""

import functools

from localstack.services.cloudformation.resource_provider import OperationStatus

INTERVAL = 0.1  # seconds; LocalStack sleeps 5, one resource after the other, and a function is ready in milliseconds


def often(deploy_loop):
    """Gives LocalStack's loop over one resource a shorter sleep."""
    return functools.partialmethod(deploy_loop, sleep_time=INTERVAL)


def with_reserved_concurrency(action):
    """Adds ReservedConcurrentExecutions to the creation or the update of a function."""

    @functools.wraps(action)
    def act(provider, request):
        event = action(provider, request)
        if event.status == OperationStatus.SUCCESS:
            _reserve(request.aws_client_factory.lambda_, event.resource_model["FunctionName"], request.desired_state)
        return event

    return act


def _reserve(client, function: str, wanted: dict) -> None:
    if (reserved := wanted.get("ReservedConcurrentExecutions")) is not None:
        client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=int(reserved))
    else:
        client.delete_function_concurrency(FunctionName=function)
