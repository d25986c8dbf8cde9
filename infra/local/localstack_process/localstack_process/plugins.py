"""The entry points that LocalStack finds (pyproject.toml names them).

Owns the wiring alone: each hook replaces one method of LocalStack 4.9.2 by a module of this package. Imports are local, since
LocalStack loads the hooks before the services that they change.
"""

import os
import tempfile

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen by LAMBDA_RUNTIME_EXECUTOR=process."""

    name = "process"

    def load(self, *args, **kwargs):
        from .executor import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor


@hooks.on_infra_start(should_load=lambda: "DYNAMODB_LOCAL_COMMAND" in os.environ)
def own_dynamodb_local():
    from localstack.services.dynamodb.server import DynamodbServer

    from . import dynamodb

    DynamodbServer.do_start_thread = dynamodb.start_thread


@hooks.on_infra_start()
def poll_queues_in_lanes():
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker

    from . import lanes

    start, stop = EsmWorker.start, EsmWorker.stop

    def start_with_lanes(self):
        lanes.give_to(self)
        start(self)

    def stop_and_wait(self):
        stop(self)
        lanes.await_end_of(self)

    EsmWorker.start, EsmWorker.stop = start_with_lanes, stop_and_wait


@hooks.on_infra_start()
def guard_environment_tables():
    from localstack.services.lambda_.invocation.assignment import AssignmentService

    from . import assignment

    initialize = AssignmentService.__init__

    def initialize_guarded(self):
        initialize(self)
        self.environments = assignment.environment_tables()

    AssignmentService.__init__ = initialize_guarded
    spare_state_machines()


def spare_state_machines():
    """No hook of its own: with a new entry point everybody would have to install LocalStack anew."""
    from localstack.services.stepfunctions.asl.component.common.path import result_path
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import lambda_eval_utils
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import state_task_service_sfn
    from localstack.services.stepfunctions.asl.utils import json_path

    from . import state_machines

    for module in (json_path, result_path):
        module.parse = state_machines.remembered(module.parse)
    for module in (lambda_eval_utils, state_task_service_sfn):
        module.boto_client_for = state_machines.kept(module.boto_client_for)


@hooks.on_infra_start()
def complete_cloudformation():
    from localstack.services.cloudformation.engine.v2.change_set_model import ChangeSetModel
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
    from localstack.services.lambda_.resource_providers.aws_lambda_function import LambdaFunctionProvider

    from . import change_sets, resources

    ResourceProviderExecutor.deploy_loop = resources.often(ResourceProviderExecutor.deploy_loop)
    LambdaFunctionProvider.create = resources.with_reserved_concurrency(LambdaFunctionProvider.create)
    LambdaFunctionProvider.update = resources.with_reserved_concurrency(LambdaFunctionProvider.update)
    find_in_map = "_resolve_intrinsic_function_fn_find_in_map"
    setattr(ChangeSetModel, find_in_map, change_sets.with_computed_keys(getattr(ChangeSetModel, find_in_map)))


@hooks.on_infra_start()
def keep_objects_apart():
    from localstack.services.s3 import provider

    # /tmp/localstack-s3-storage as it comes: of every LocalStack on the machine, and closed to the second user.
    provider.DEFAULT_S3_TMP_DIR = os.path.join(tempfile.gettempdir(), "s3")


@hooks.on_infra_shutdown(priority=-100)  # after the services, which are stopped at -10
def end_what_is_left():
    from . import shutdown

    shutdown.end()
