"""DynamoDB Local as a process group of ours, from jars that are there already.

Owns the Java process. LocalStack's own way downloads an archive, and leaves the process behind when it is itself killed.
"""

import json
import logging
import os
import tempfile
import threading
from pathlib import Path

from localstack.runtime import events
from localstack.services.dynamodb.server import DynamodbServer
from localstack.utils.threads import FuncThread

from .groups import ProcessGroup

LOG = logging.getLogger(__name__)
COMMAND_VARIABLE = "DYNAMODB_LOCAL_COMMAND"  # a JSON list; the port is added to it
LOG_VARIABLE = "DYNAMODB_LOCAL_LOG"
STOP_GRACE = 3.0  # seconds
RESTART_PAUSE = 1.0  # seconds, lest a JVM that cannot start keeps a core busy


class DynamodbThread(FuncThread):
    """Keeps DynamoDB Local running until it is stopped: what LocalStack's server class wants to hold."""

    def __init__(self, server: DynamodbServer):
        self._argv = [*json.loads(os.environ[COMMAND_VARIABLE]), "-port", str(server.port)]
        self._stopping = threading.Event()
        self.auto_restart = True
        self.process: ProcessGroup | None = None
        super().__init__(self._keep_running, name="dynamodb-local")

    def stop(self, quiet: bool = False) -> None:
        self._stopping.set()
        if self.process:
            self.process.stop(STOP_GRACE)
        super().stop(quiet)

    def _keep_running(self, _params) -> None:
        while not self._stopping.is_set():
            self.process = _start(self._argv)
            self.process.wait()
            if events.infra_stopping.is_set() or not self.auto_restart:
                return
            if not self._stopping.wait(RESTART_PAUSE):
                LOG.warning("DynamoDB Local ended by itself and is started again; its tables are gone")


def _start(argv: list[str]) -> ProcessGroup:
    log = Path(os.environ.get(LOG_VARIABLE, os.devnull))
    env = {**os.environ, "DDB_LOCAL_TELEMETRY": "0"}
    with log.open("ab") as output:
        return ProcessGroup(argv, what="DynamoDB Local", cwd=tempfile.gettempdir(), env=env, output=output.fileno())


def start_thread(server: DynamodbServer) -> DynamodbThread:
    """Takes the place of DynamodbServer.do_start_thread."""
    thread = DynamodbThread(server)
    thread.start()
    return thread
