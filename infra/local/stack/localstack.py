"""LocalStack in host mode, with the plug-in that runs functions as processes.

Owns its process, port and settings. LocalStack forgets everything when it ends: `instance` tells one life from the next.
"""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import dynamodb, leftovers, ports, processes, stamps
from .artifacts import Artifacts
from .folder import SOURCES, Folder
from .problems import Failed
from .processes import Process
from .progress import say, step
from .state import State
from .venvs import PLUGIN, Venvs

KEY = "localstack"
PORT = 4566  # LocalStack's own, which people's tools expect; another one when it is taken
START_LIMIT = 120.0  # seconds, for a slow machine; 5 s are usual
STOP_GRACE = 15.0  # LocalStack gives its services 5 s, DynamoDB Local 5 s more
PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "JAVA_HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class LocalStack:
    """The one LocalStack of a folder."""

    def __init__(self, folder: Folder, state: State, venvs: Venvs, artifacts: Artifacts):
        self._folder = folder
        self._state = state
        self._venvs = venvs
        self._artifacts = artifacts
        self._log = folder.log / "localstack.log"

    @property
    def port(self) -> int | None:
        return self._state.get(KEY).get("port")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def instance(self) -> str:
        """Changes with every start."""
        entry = self._state.get(KEY)
        return f"{entry.get('boot')}/{entry.get('pid')}/{entry.get('started')}"

    def is_running(self) -> bool:
        process = Process.of_entry(self._state.get(KEY))
        return bool(process and process.alive)

    def launch(self) -> None:
        """Starts it unless the same settings run already; `await_ready` is the other half, so that it may load meanwhile."""
        python, jars = self._venvs.localstack_python(), self._artifacts.dynamodb()
        source = _source(python, jars)
        if self.is_running() and self._state.get(KEY).get("source") == source:
            return
        if self.is_running():
            say("          LocalStack's settings or plug-in changed: it is started anew")
        self.stop()
        self._clear()
        if self.port:
            ports.regain(self.port)
        port = ports.free(self.port or PORT)
        if port != (self.port or PORT):
            say(f"          port {self.port or PORT} is taken: LocalStack uses {port}")
        env = environment(self._folder, port, jars)
        process = processes.start([str(python), "-m", "localstack.runtime.main"], log=self._log, env=env, cwd=self._folder.localstack)
        self._state.put(KEY, {**process.entry(), "port": port, "source": source})

    def await_ready(self) -> None:
        if _health(self.endpoint):
            return
        with step("start LocalStack") as result:
            process = Process.of_entry(self._state.get(KEY))
            deadline = time.monotonic() + START_LIMIT
            while not _health(self.endpoint):
                if not process.alive or time.monotonic() > deadline:
                    raise Failed("LocalStack did not start", self._log)
                time.sleep(0.1)
            result.append(self.endpoint)

    def stop(self) -> None:
        process = Process.of_entry(self._state.get(KEY))
        if process and process.alive:
            with step("stop LocalStack"):
                process.end(grace=STOP_GRACE)
        leftovers.end(self._folder)

    def _clear(self) -> None:
        """Removes what the last life left: code, temporary folders, objects of S3, the index of plug-ins (which goes stale unnoticed)."""
        shutil.rmtree(self._folder.localstack, ignore_errors=True)
        (self._folder.localstack / "tmp").mkdir(parents=True)


def environment(folder: Folder, port: int, jars: Path) -> dict[str, str]:
    """LocalStack's settings. Nothing else of the user's environment: LocalStack heeds dozens of common names (DEBUG, SERVICES ..)."""
    root = folder.localstack
    temporary = root / "tmp"
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "OVERRIDE_IN_DOCKER": "0",  # it takes many a container for its own and writes to /var/lib, /usr/lib and /etc there
        "CONFIG_DIR": str(root / "config"),  # not the user's ~/.localstack
        "FILESYSTEM_ROOT": str(root / "files"),
        "TMPDIR": str(temporary),  # functions' code and temporary folders, objects of S3
        "XDG_CACHE_HOME": str(root / "cache"),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",  # queue URLs are else host names that need a DNS server
        "DNS_ADDRESS": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "DYNAMODB_LOCAL_COMMAND": json.dumps(dynamodb.command(jars, temporary)),
        "DYNAMODB_LOCAL_LOG": str(folder.log / "dynamodb.log"),
        "BACKFILL_PROCESS_REGISTER": str(folder.register),
        "BACKFILL_FUNCTION_LOGS": str(folder.log / "functions"),
    }


def _source(python: Path, jars: Path) -> str:
    """What a running LocalStack was started from; another one means that it has to be started anew."""
    plugin = stamps.files_under(PLUGIN / "localstack_process", lambda path: path.suffix == ".py")
    return stamps.digest(SOURCES / "requirements/localstack.txt", Path(__file__), str(python), str(jars), *plugin)


def _health(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_localstack/health", timeout=2) as answer:
            return bool(json.load(answer).get("version"))
    except (OSError, urllib.error.URLError, ValueError):
        return False
