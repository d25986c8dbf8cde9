"""The folder of the local stack: where everything that it makes lives.

Owns the layout and the lock that makes two commands at once take turns.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .progress import say

PROJECT = Path(__file__).resolve().parents[3]
SOURCES = Path(__file__).resolve().parents[1]  # infra/local
FOLDER_VARIABLE = "BACKFILL_LOCAL_FOLDER"  # the tests of this package set it


class Folder:
    """.local and what is in it."""

    def __init__(self, root: Path):
        self.root = root
        self.tools = root / "tools"  # installed once, thrown away with the folder
        self.log = root / "log"
        self.postgres = root / "postgres"
        self.localstack = root / "localstack"
        self.temporary = root / "tmp"
        self.register = root / "register"  # of the process groups that LocalStack starts
        self.state = root / "state.json"

    @staticmethod
    def of_environment() -> "Folder":
        return Folder(Path(os.environ.get(FOLDER_VARIABLE) or PROJECT / ".local").absolute())

    def make(self) -> None:
        for path in (self.tools, self.log, self.postgres, self.localstack, self.temporary, self.register):
            path.mkdir(parents=True, exist_ok=True)

    def clear_temporary(self) -> None:
        """What programs that were cut short have left."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(parents=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Held while a command changes something. The kernel lets go of it when the holder dies."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another command on this stack")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
