"""Progress: one line on stderr for each step, with what it took. stdout belongs to the answers."""

import contextlib
import sys
import time
from collections.abc import Iterator


@contextlib.contextmanager
def step(what: str) -> Iterator[list[str]]:
    """Shows a step when it is done or has failed; what is appended to the yielded list is shown as its result."""
    began = time.monotonic()
    result: list[str] = []
    try:
        yield result
    except BaseException:
        _line(f"{what}: failed", began)
        raise
    _line(": ".join([what, *result]), began)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _line(text: str, began: float) -> None:
    say(f"{time.monotonic() - began:6.1f} s  {text}")
