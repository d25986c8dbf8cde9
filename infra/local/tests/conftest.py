"""A LocalStack of the tests' own, and functions on it.

Everything lives in a temporary folder and on ports that the kernel picks; only the installed tools are shared with the real stack.
"""

import base64
import io
import json
import os
import subprocess
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from infra.local.stack import ports, processes
from infra.local.stack.artifacts import Artifacts
from infra.local.stack.folder import Folder
from infra.local.stack.localstack import KEY, LocalStack
from infra.local.stack.state import State
from infra.local.stack.venvs import Venvs

from .waiting import eventually

ROLE = "arn:aws:iam::000000000000:role/probe"
PROBE = Path(__file__).parent / "probe"


@dataclass
class Stand:
    """A folder with its state, and a LocalStack that may be started in it."""

    folder: Folder
    state: State
    localstack: LocalStack

    @staticmethod
    def at(root: Path) -> "Stand":
        folder = Folder(root)
        folder.tools = Folder.of_environment().tools
        folder.make()
        state = State(folder.state)
        state.put(KEY, {"port": ports.free()})  # "remembered", so that 4566 stays the real stack's
        return Stand(folder, state, LocalStack(folder, state, Venvs(folder), Artifacts(folder)))

    def start(self) -> None:
        self.localstack.launch()
        self.localstack.await_ready()

    def client(self, service: str):
        return boto3.client(
            service,
            endpoint_url=self.localstack.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60, max_pool_connections=20),
        )

    def processes(self) -> list[int]:
        """Every process that was started for this stand, whoever its parent is now: its environment names the folder."""
        mark = str(self.folder.root).encode()
        return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and mark in _environment(entry)]


@dataclass
class Answer:
    payload: dict
    error: str | None
    log: str


@dataclass
class Function:
    """A probe on LocalStack."""

    name: str
    journal: Path
    lambdas: object
    settings: dict = field(default_factory=dict)

    def invoke(self, **event) -> Answer:
        got = self.lambdas.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(got.get("LogResult", "")).decode()
        return Answer(json.load(got["Payload"]), got.get("FunctionError"), log)

    def notes(self, what: str) -> list[list[str]]:
        """The journal's lines of one kind: milliseconds, kind, process, details."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [line.split() for line in lines if line.split()[1] == what]

    def await_held(self, count: int) -> None:
        """Waits until so many invocations of `hold` are under way."""
        eventually(lambda: len(self.notes("held")) == count)

    def release(self) -> None:
        """Lets every invocation of `hold` end."""
        self.journal.with_name(self.journal.name + ".released").touch()


@pytest.fixture(scope="session")
def stand(tmp_path_factory):
    stand = Stand.at(tmp_path_factory.mktemp("stand"))
    stand.start()
    yield stand
    stand.localstack.stop()


@pytest.fixture
def own_stand(tmp_path):
    """One that a test may break."""
    stand = Stand.at(tmp_path)
    yield stand
    stand.localstack.stop()


@pytest.fixture(scope="session")
def code(tmp_path_factory) -> bytes:
    program = tmp_path_factory.mktemp("probe") / "bootstrap"
    subprocess.run(["go", "build", "-o", program, "."], cwd=PROBE, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
    return zipped(program.read_bytes())


@pytest.fixture
def make_function(stand, code, tmp_path, request):
    """Makes functions that are gone after the test."""
    lambdas, made = stand.client("lambda"), []

    def make(timeout: int = 10, code: bytes = code, reserved: int | None = None, **variables) -> Function:
        name = f"{request.node.name[:40].replace('[', '-').rstrip(']')}-{len(made)}"
        function = Function(name, tmp_path / f"{name}.journal", lambdas)
        lambdas.create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=ROLE,
            Timeout=timeout,
            Code={"ZipFile": code},
            Environment={"Variables": {"JOURNAL": str(function.journal), **variables}},
        )
        made.append(name)
        eventually(lambda: lambdas.get_function(FunctionName=name)["Configuration"]["State"] == "Active")
        if reserved is not None:
            lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        return function

    yield make
    for name in made:
        lambdas.delete_function(FunctionName=name)


def zipped(bootstrap: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("bootstrap", bootstrap)
    return buffer.getvalue()


def exists(pid: int | str) -> bool:
    """A zombie, whom nobody has reaped yet, does not."""
    return processes.start_time(int(pid)) is not None


def _environment(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
