"""The account under which Postgres runs: Postgres refuses to be root.

Owns the choice of the account, and of a place that it can reach: a checkout below a closed home (/root) is none.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

OUTSIDE = Path("/var/tmp")
CANDIDATES = ("postgres", "nobody")


def unprivileged() -> int | None:
    """The account to change to; None when we are not root."""
    if os.geteuid() != 0:
        return None
    return next(pwd.getpwnam(name).pw_uid for name in CANDIDATES if _exists(name))


def place(inside: Path) -> Path:
    """`inside` when the account can get there, else a folder of our own outside; made and owned either way."""
    user = unprivileged()
    folder = inside if user is None or _can_enter(user, inside.parent) else outside(inside)
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        os.chown(folder, user, pwd.getpwuid(user).pw_gid)
    return folder


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
    return OUTSIDE / f"backfill-{hashlib.sha256(str(inside).encode()).hexdigest()[:12]}"


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
