"""DynamoDB Local: the command line, and a server of it for tests that need no LocalStack.

Owns the test server's process and port. It is in memory, as all of LocalStack is; tests tell themselves apart by access key or by
table name (DynamoDB Local keeps a database for each access key and region).
"""

import signal
import time
from pathlib import Path

from . import ports, processes
from .folder import Folder
from .problems import Failed
from .processes import Process
from .progress import step
from .state import State

KEY = "dynamodb"
MAIN_CLASS = "software.amazon.dynamodb.services.local.main.ServerRunner"
HEAP = "256m"
START_LIMIT = 60.0  # seconds; 2 s are usual


def command(jars: Path, temporary: Path) -> list[str]:
    """Lacks the port: LocalStack chooses one for the server that it starts."""
    java = ["java", f"-Xmx{HEAP}", "-XX:-UsePerfData", f"-Djava.io.tmpdir={temporary}", f"-Djava.library.path={jars}"]
    return [*java, "-cp", f"{jars}/*", MAIN_CLASS, "-inMemory", "-disableTelemetry"]


class TestServer:
    """The DynamoDB Local that tests use."""

    def __init__(self, folder: Folder, state: State):
        self._folder = folder
        self._state = state
        self._log = folder.log / "dynamodb-tests.log"

    def start(self, jars: Path, env: dict[str, str]) -> str:
        """Starts it unless it runs; returns its endpoint."""
        entry = self._state.get(KEY)
        process = Process.of_entry(entry)
        port = entry.get("port")
        if not (process and process.alive):
            with step("start DynamoDB Local for tests") as result:
                port = ports.free(port)
                self._launch([*command(jars, self._folder.temporary), "-port", str(port)], port, env)
                result.append(f"127.0.0.1:{port}")
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        process = Process.of_entry(self._state.get(KEY))
        if process and process.alive:
            with step("stop DynamoDB Local for tests"):
                process.end(signal.SIGTERM)

    def _launch(self, argv: list[str], port: int, env: dict[str, str]) -> None:
        process = processes.start(argv, log=self._log, env=env, cwd=self._folder.root)
        self._state.put(KEY, {**process.entry(), "port": port})
        deadline = time.monotonic() + START_LIMIT
        while not ports.answers(port):
            if not process.alive or time.monotonic() > deadline:
                raise Failed("DynamoDB Local did not start", self._log)
            time.sleep(processes.POLL)
