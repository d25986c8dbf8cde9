"""`env` and `status`: what the stack is, for shells and for people."""

import shlex

from . import deployment, docker
from .localstack import KEY as LOCALSTACK
from .problems import Missing
from .processes import Process
from .state import State

NOT_UP = "the local stack is not up: run `make up`"


def exports(state: State) -> str:
    """Shell lines that point aws, psql and bin/backfill at the stack."""
    if not (is_up(state) and state.get("database")):
        raise Missing(NOT_UP)
    variables = {
        "AWS_ENDPOINT_URL": endpoint(state),
        **deployment.CREDENTIALS,
        "DATABASE_URL": state.get("database")["url"],
        "BACKFILL_STACK": deployment.STACK,
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def status(state: State) -> str:
    """One line for each part that was ever started."""
    if not (is_up(state)):
        raise Missing("\n".join([*_parts(state), NOT_UP]))
    entry = state.get(deployment.KEY)
    deployed = "deployed" if "shape" in entry else "not deployed"
    return "\n".join([*_parts(state), f"{'template':24} {deployed} as {deployment.STACK}, {endpoint(state)}"])


def is_up(state: State) -> bool:
    process = Process.of_entry(state.get(LOCALSTACK))
    return bool(state.get(docker.KEY)) or bool(process and process.alive)


def endpoint(state: State) -> str:
    return f"http://127.0.0.1:{(state.get(docker.KEY) or state.get(LOCALSTACK))['port']}"


def _parts(state: State) -> list[str]:
    lines = []
    for name in sorted(state.names()):
        entry = state.get(name)
        if process := Process.of_entry(entry):
            life = f"runs, process {process.pid}, port {entry['port']}" if process.alive else "does not run"
            lines.append(f"{name:24} {life}")
    return lines
