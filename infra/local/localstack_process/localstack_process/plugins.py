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

    start = EsmWorker.start

    def start_with_lanes(self):
        lanes.of_worker(self)
        start(self)

    EsmWorker.start = start_with_lanes


@hooks.on_infra_start()
def guard_environment_tables():
    from localstack.services.lambda_.invocation.assignment import AssignmentService

    from . import assignment

    initialize = AssignmentService.__init__

    def initialize_guarded(self):
        initialize(self)
        self.environments = assignment.environment_tables()

    AssignmentService.__init__ = initialize_guarded


@hooks.on_infra_start()
def look_at_resources_often():
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

    from . import resources

    ResourceProviderExecutor.deploy_loop = resources.often(ResourceProviderExecutor.deploy_loop)


@hooks.on_infra_start()
def keep_objects_apart():
    from localstack.services.s3 import provider

    # /tmp/localstack-s3-storage as it comes: of every LocalStack on the machine, and closed to the second user.
    provider.DEFAULT_S3_TMP_DIR = os.path.join(tempfile.gettempdir(), "s3")
