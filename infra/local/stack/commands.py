"""External commands that run to their end, with their output in a log."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .problems import Failed


def run(argv: Sequence[str], *, log: Path, what: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, **options) -> None:
    """Runs a command; `what` names it when it fails."""
    with log.open("ab") as output:
        output.write(f"$ {' '.join(map(str, argv))}\n".encode())
        output.flush()
        done = subprocess.run(argv, stdin=options.pop("stdin", subprocess.DEVNULL), stdout=output, stderr=output, env=env, cwd=cwd, **options)
    if done.returncode != 0:
        raise Failed(f"{what} failed (exit status {done.returncode})", log)


def succeeds(argv: Sequence[str]) -> bool:
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    except OSError:
        return False


def output_of(argv: Sequence[str]) -> str:
    """What a command prints on both streams; empty when it cannot be run."""
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    except OSError:
        return ""
