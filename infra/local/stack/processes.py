"""Processes that outlive the command that starts them.

Owns start, recognition and end. A process is recognized by its number, its start time and the boot that both belong to: the number
alone is used again.
"""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

POLL = 0.02  # seconds between two looks at a process


@dataclass(frozen=True)
class Process:
    """One process, for good."""

    pid: int
    started: str  # clock ticks since boot
    boot: str
    command: str = ""  # for people who read state.json

    @staticmethod
    def of_entry(entry: Mapping[str, Any]) -> "Process | None":
        try:
            return Process(entry["pid"], entry["started"], entry["boot"], entry.get("command", ""))
        except KeyError:
            return None

    def entry(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def alive(self) -> bool:
        return self.boot == boot_id() and start_time(self.pid) == self.started

    def end(self, request: int = signal.SIGTERM, grace: float = 10.0) -> None:
        """Asks the leader, waits, and then kills the group that it leads."""
        if self.alive:
            os.kill(self.pid, request)
            if not self.gone_within(grace):
                _kill(self.pid)
                self.gone_within(grace)

    def gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL)
        return True


def start(argv: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path, user: int | None = None) -> Process:
    """Starts a program as leader of its own session; `log` gets its output, the log before it is kept beside it."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    identity = {"user": user, "group": group_of(user), "extra_groups": []} if user is not None else {}
    with log.open("ab") as output:
        popen = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **identity
        )
    return Process(popen.pid, start_time(popen.pid) or "", boot_id(), " ".join(argv)[:200])


def start_time(pid: int) -> str | None:
    """None when there is no such process, or only a zombie of it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _kill(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def group_of(user: int) -> int:
    return pwd.getpwuid(user).pw_gid
