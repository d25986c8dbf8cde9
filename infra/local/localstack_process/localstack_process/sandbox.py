"""A sandbox: one bootstrap process, its Runtime API, its output and its temporary folder.

Owns their common life, from the first invocation to the kill. It does not outlive a fault: the executor makes another one.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from . import faults
from .faults import Answer
from .groups import ProcessGroup
from .output import Output
from .runtime_api import Invocation, RuntimeApi

INIT_LIMIT = 10.0  # seconds that AWS gives the init phase of an on-demand function
STOP_GRACE = 0.5  # seconds between SIGTERM and SIGKILL at shutdown, as on AWS


class Sandbox:
    """A function's process, ready for one invocation at a time."""

    def __init__(self, name: str, code: Path, variables: Callable[[Path, str], Mapping[str, str]]):
        """`variables` is asked for the environment, given the temporary folder and the address of the Runtime API."""
        self._name = name
        self._code = code
        self._variables = variables
        self._output = Output()
        self._folder = Path(tempfile.mkdtemp(prefix="function-"))
        self._api = RuntimeApi()
        self._group: ProcessGroup | None = None
        self._request_id = ""
        self._closed = False

    @property
    def usable(self) -> bool:
        """False when it has ended, be it between two invocations."""
        return not self._closed and self._group is not None and self._group.alive

    def start(self, request_id: str) -> float:
        """Starts the process and waits until it asks for work; returns the seconds that took, raises a Fault."""
        began = time.monotonic()
        self._request_id = request_id
        self._spawn()
        self._await(self._api.ready, INIT_LIMIT)
        return time.monotonic() - began

    def invoke(self, invocation: Invocation) -> Answer:
        """Has the process answer within its timeout; raises a Fault."""
        self._request_id = invocation.request_id
        return self._await(self._api.deliver(invocation), invocation.timeout)

    def take_output(self) -> str:
        return self._output.take()

    def peak_memory_mb(self) -> int:
        """The high-water mark of the process' resident memory; 0 when it has ended."""
        try:
            status = Path(f"/proc/{self._group.pid}/status").read_text()
            return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        except (OSError, AttributeError, StopIteration):
            return 0

    def close(self, grace: float = 0) -> None:
        """Ends the process with all that it started, and removes its folder."""
        self._closed = True
        if self._group:
            self._group.stop(grace) if grace else self._group.kill()
        self._api.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spawn(self) -> None:
        bootstrap = self._code / "bootstrap"
        try:
            bootstrap.chmod(0o755)  # a zip made on another system may have lost it
            self._group = ProcessGroup(
                [str(bootstrap)],
                what=f"function {self._name}",
                cwd=str(self._code),
                env=self._variables(self._folder, self._api.address),
                output=self._output.writer,
                on_end=self._on_end,
            )
        except OSError as error:  # none there, or one for another processor
            raise faults.not_executable(self._request_id, error) from error
        finally:
            self._output.follow()

    def _on_end(self, status: int) -> None:
        self._api.abort(faults.exited(self._request_id, status))

    def _await(self, future: Future, seconds: float):
        try:
            return future.result(seconds)
        except TimeoutError:
            self._group.kill()
            raise faults.timed_out(self._request_id, seconds) from None
