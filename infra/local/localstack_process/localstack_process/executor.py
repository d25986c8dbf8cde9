"""LocalStack's runtime executor for processes.

Owns the translation between LocalStack's interface and an Environment, nothing else.
"""

from localstack.runtime import events
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from . import function_logs, variables
from .environment import Environment
from .runtime_api import Invocation
from .sandbox import Sandbox


class ProcessRuntimeExecutor(RuntimeExecutor):
    """Runs a custom-runtime function (a zip with a `bootstrap`) as a process of the host."""

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self._name = function_version.id.function_name
        self._given: dict = {}
        self._environment = Environment(
            self._sandbox, version=function_version.id.qualifier, memory_mb=function_version.config.memory_size
        )

    def start(self, env_vars):
        self._given = dict(env_vars)

    def stop(self):
        """Called when a function is updated, deleted or long idle, and at shutdown. Only the last takes a running invocation along:
        AWS lets the old code finish."""
        self._environment.stop(drain=not events.infra_stopping.is_set())

    def invoke(self, payload):
        answer, log = self._environment.invoke(_invocation(payload, float(self.function_version.config.timeout)))
        function_logs.append(self._name, log)
        return InvocationResult(payload["invoke-id"], answer.payload, is_error=answer.is_error, logs=log)

    def _sandbox(self) -> Sandbox:
        config = self.function_version.config
        code = config.code.get_unzipped_code_location()
        return Sandbox(
            self._name,
            code,
            lambda folder, runtime_api: variables.of_function(self._given, config.logging_config, code, folder, runtime_api),
        )

    def get_logs(self):
        return self._environment.take_output()

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return ""  # the back channel of LocalStack's own init program, which is not used here

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.package_type != "Zip":
            raise ValueError("functions that are container images need a container engine")
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        """Nothing: LocalStack removes the code itself."""


def _invocation(payload: dict, timeout: float) -> Invocation:
    return Invocation(
        request_id=payload["invoke-id"],
        function_arn=payload["invoked-function-arn"],
        trace_id=payload["trace-id"],
        payload=payload["payload"].encode(),
        timeout=timeout,
    )
