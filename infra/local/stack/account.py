"""The account under which Postgres runs: Postgres refuses to be root.

Owns the choice of the account, and of a place that it can reach: a checkout below a closed home (/root) is none. And of a place in memory,
for data that may be lost.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

OUTSIDE = Path("/var/tmp")
MEMORY = Path("/dev/shm")
ROOM = 8 << 30  # bytes that have to be free there, and of memory; tests take up to a half of it
CANDIDATES = ("postgres", "nobody")


def unprivileged() -> int | None:
    """The account to change to; None when we are not root."""
    if os.geteuid() != 0:
        return None
    return next(pwd.getpwnam(name).pw_uid for name in CANDIDATES if _exists(name))


def place(inside: Path) -> Path:
    """`inside` when the account can get there, else a folder of our own outside; made and owned either way."""
    user = unprivileged()
    return _own(inside if user is None or _can_enter(user, inside.parent) else outside(inside))


def volatile_place(inside: Path) -> Path:
    """One in memory, where there is room, else as `place`. Tests make and remove files by the ten thousand, each database 300: on disk the
    file system's work for them is most of what such a test takes (0.25 s for CREATE DATABASE, 0.02 s in memory)."""
    return _own(in_memory(inside)) if _has_room() else place(inside)


def reachable(programs: Path) -> Path:
    """The same programs, copied to a place that the account can reach if need be."""
    user = unprivileged()
    if user is None or _can_enter(user, programs):
        return programs
    copy = outside(programs.parent)
    if not copy.exists():
        draft = copy.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(programs.parent, draft, symlinks=True)
        draft.rename(copy)
    return copy / programs.name


def outside(inside: Path) -> Path:
    """Where `inside` goes when it has to leave the project; told apart by its path."""
    return OUTSIDE / _name(inside)


def in_memory(inside: Path) -> Path:
    """Where `inside` goes when its data may be lost."""
    return MEMORY / _name(inside)


def _name(inside: Path) -> str:
    return f"backfill-{hashlib.sha256(str(inside).encode()).hexdigest()[:12]}"


def _own(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    user = unprivileged()
    if user is not None:
        os.chown(folder, user, pwd.getpwuid(user).pw_gid)
    return folder


def _has_room() -> bool:
    """Containers often have 64 MB there."""
    try:
        memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return shutil.disk_usage(MEMORY).free >= ROOM and int(memory["MemAvailable"].split()[0]) << 10 >= ROOM
    except (OSError, KeyError, ValueError):
        return False


def _exists(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _can_enter(user: int, folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    identity = {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []}
    argv = ["/bin/sh", "-c", 'cd "$1" && test -r .', "sh", folder]
    return subprocess.run(argv, cwd="/", capture_output=True, **identity).returncode == 0
