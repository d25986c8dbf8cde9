"""The environment of a function's process.

Owns what differs from LocalStack's containers: where the code, the temporary folder and the Runtime API are, and what LocalStack
leaves out. Nothing else of the host's environment reaches a function, as on AWS.
"""

from collections.abc import Mapping
from pathlib import Path


def of_function(given: Mapping, logging_config: Mapping | None, code: Path, folder: Path, runtime_api: str) -> dict[str, str]:
    """`given` is what LocalStack sets, the function's own variables among them."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        **{name: str(value) for name, value in given.items()},
        **_logging(logging_config or {}),
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(code),
        "TMPDIR": str(folder),
    }


def _logging(config: Mapping) -> dict[str, str]:
    """What AWS sets from LoggingConfig and LocalStack does not: lambdacontext's log handler goes by these."""
    names = {"AWS_LAMBDA_LOG_FORMAT": "LogFormat", "AWS_LAMBDA_LOG_LEVEL": "ApplicationLogLevel"}
    return {name: str(config[key]) for name, key in names.items() if config.get(key)}
