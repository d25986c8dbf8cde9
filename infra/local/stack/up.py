"""`up`: from nothing, or from whatever is left, to a stack with the template deployed.

Owns the order of the steps. What takes long and needs nothing (the build) begins first, LocalStack loads beside it.
"""

import os

from . import docker, pgbouncer, toolchain
from .artifacts import Artifacts
from .deployment import Deployment
from .dynamodb import TestServer
from .folder import Folder
from .localstack import LocalStack
from .postgres import SETTINGS_OF_BENCHMARKS, SETTINGS_OF_TESTS, Server
from .postgres_programs import find
from .state import State
from .venvs import Venvs


def up(folder: Folder, state: State) -> None:
    if docker.wanted():
        docker.up(folder, state)
        return
    toolchain.require("linux", "venv", "java", "go", "make")
    folder.clear_temporary()
    venvs, artifacts = Venvs(folder), Artifacts(folder)
    deployment = Deployment(folder, state, venvs.sam())
    localstack = LocalStack(folder, state, venvs, artifacts)
    with deployment.building():
        database_url = stack_database(folder, state, artifacts)
        if deployment.needs_new_localstack(localstack.instance, database_url):
            localstack.stop()
        localstack.launch()
        localstack.await_ready()
        deployment.finish(localstack.endpoint, localstack.instance, database_url)


def stack_database(folder: Folder, state: State, artifacts: Artifacts) -> str:
    """The user's database when DATABASE_URL names one, else a server of our own."""
    last, given = state.get("database"), os.environ.get("DATABASE_URL")
    foreign = bool(given) and not (last.get("own") and last.get("url") == given)  # our own URL comes back through `env`
    url = given if foreign else Server(folder, state, "stack", find(None, artifacts)).start()
    state.put("database", {"url": url, "own": not foreign})
    return url


def tool(folder: Folder, name: str) -> str:
    """Where an installed program is: one of Python's, the `python` that has LocalStack and pytest, `pgbouncer`, or the folder of `postgres`."""
    if name == pgbouncer.NAME:
        return str(pgbouncer.program(folder))
    if name == "postgres":
        return str(find(None, Artifacts(folder)).folder)
    toolchain.require("linux", "venv")
    venvs = Venvs(folder)
    programs = {"sam": venvs.sam, "cfn-lint": venvs.cfn_lint, "checkov": venvs.checkov, "python": venvs.localstack_python}
    return str(programs[name]())


def test_database(folder: Folder, state: State, major: int, durable: bool = False) -> str:
    """A server for tests, which has its data in memory; durable: one for benchmarks, which has it on the disk."""
    toolchain.require("linux")
    name, settings = ("durable", SETTINGS_OF_BENCHMARKS) if durable else ("tests", SETTINGS_OF_TESTS)
    return Server(folder, state, name, find(major, Artifacts(folder)), settings, volatile=not durable).start()


def test_dynamodb(folder: Folder, state: State) -> str:
    toolchain.require("linux", "java")
    return TestServer(folder, state).start(Artifacts(folder).dynamodb(), dict(os.environ))
