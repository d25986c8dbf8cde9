"""Process groups: a program and everything that it starts, ended together.

Owns start, signals, the wait for the end, and reaping. A group's id stays ours until its leader is reaped, so no signal is ever sent
after that: the number may name somebody else's group by then.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence

from . import register


_alive: set["ProcessGroup"] = set()


def kill_all() -> None:
    """Ends every group at once."""
    for group in list(_alive):
        group.kill()


class ProcessGroup:
    """A program that leads a session of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        what: str,
        cwd: str,
        env: Mapping[str, str],
        output: int,
        on_end: Callable[[int], None] = lambda status: None,
    ):
        """Starts the program with its output going to the descriptor `output`; `on_end` gets the exit status as Popen words it."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._on_end = on_end
        self._process = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        _alive.add(self)
        register.add(self.pid, what)
        threading.Thread(target=self._watch, name=f"group-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until the leader is reaped and the rest of its group killed; says whether that happened in time."""
        return self._ended.wait(seconds)

    def kill(self) -> None:
        """Ends the group at once."""
        self._signal(signal.SIGKILL)
        self._ended.wait()

    def stop(self, grace: float) -> None:
        """Asks the group to end, and ends it after `grace` seconds."""
        self._signal(signal.SIGTERM)
        if not self._ended.wait(grace):
            self.kill()

    def _watch(self) -> None:
        # WNOWAIT leaves the leader a zombie: as long as it is one, the group's id cannot become another's.
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            _signal_group(self.pid, signal.SIGKILL)
            status = self._process.wait()
            self._ended.set()
        _alive.discard(self)
        register.remove(self.pid)
        self._on_end(status)

    def _signal(self, number: int) -> None:
        with self._lock:
            if self.alive:
                _signal_group(self.pid, number)


def _signal_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):  # nobody left but the zombie (the latter is macOS' word for it)
        pass
