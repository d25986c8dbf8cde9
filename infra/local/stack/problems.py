"""What can go wrong, as the user has to hear it.

Owns the two kinds and their exit codes; no traceback reaches the user for either.
"""

from pathlib import Path

TAIL = 15  # lines of a log that go with a failure


class Problem(Exception):
    exit_code = 1


class Missing(Problem):
    """Something is not there that the user has to provide or start."""

    exit_code = 3


class Failed(Problem):
    """A step failed; its log says why."""

    def __init__(self, what: str, log: Path | None = None):
        super().__init__(what if log is None else f"{what}\n{_tail(log)}\nfull log: {log}")


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "  (no log)"
    return "\n".join(f"  | {line}" for line in lines[-TAIL:])
