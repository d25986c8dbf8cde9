"""The same stack with a Docker engine: LocalStack's image and Postgres', by compose.

Owns the use of compose.yaml. Only when BACKFILL_LOCAL=docker asks for it.
"""

import os
import secrets

from . import toolchain
from .commands import output_of, run
from .deployment import Deployment
from .folder import SOURCES, Folder
from .progress import step
from .state import State
from .venvs import Venvs

KEY = "docker"
PORT, POSTGRES_PORT = 4566, 5433
COMPOSE = SOURCES / "compose.yaml"


def wanted() -> bool:
    return os.environ.get("BACKFILL_LOCAL") == "docker"


def up(folder: Folder, state: State) -> None:
    toolchain.require("docker", "venv", "go", "make")
    deployment = Deployment(folder, state, Venvs(folder).sam())
    entry = state.get(KEY) or {"port": PORT, "password": secrets.token_urlsafe(18)}
    state.put(KEY, entry)
    functions_url = _url(entry, "postgres:5432")  # functions are containers too: for them Postgres has its name in compose's network
    with deployment.building():
        if deployment.needs_new_localstack(_instance(), functions_url):
            _compose(folder, entry, "rm", "--stop", "--force", "localstack")
        with step("start the containers"):
            _compose(folder, entry, "up", "--detach", "--wait")
        state.put("database", {"url": _url(entry, f"127.0.0.1:{POSTGRES_PORT}"), "own": True})
        deployment.finish(f"http://127.0.0.1:{PORT}", _instance(), functions_url)


def down(folder: Folder, state: State, purge: bool) -> None:
    with step("stop the containers"):
        _compose(folder, state.get(KEY), "down", *(["--volumes"] if purge else []))
    state.drop(KEY)


def _compose(folder: Folder, entry: dict, *command: str) -> None:
    env = {**os.environ, "POSTGRES_PASSWORD": entry["password"], "LOCALSTACK_PORT": str(PORT), "POSTGRES_PORT": str(POSTGRES_PORT)}
    run(["docker", "compose", "-f", str(COMPOSE), *command], log=folder.log / "docker.log", what="docker compose", env=env)


def _instance() -> str:
    return output_of(["docker", "inspect", "-f", "{{.State.StartedAt}}", "backfill-localstack"]).strip()


def _url(entry: dict, host: str) -> str:
    return f"postgres://app:{entry['password']}@{host}/app?sslmode=disable"
