"""Postgres' programs: the installed ones, or those fetched for this project.

Owns the search. Installed wins, since it needs no download; a major version that is not installed is fetched.
"""

import glob
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import account
from .artifacts import Artifacts
from .commands import output_of

FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")  # Debian, Red Hat, source
OLDEST_MAJOR = 15  # the oldest that the tests run against
FETCHED_MAJOR = 18  # where nothing is installed


@dataclass(frozen=True)
class Programs:
    folder: Path
    major: int
    version: str

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")


def find(major: int | None, artifacts: Artifacts) -> Programs:
    """The installed server of that major version (None: the newest), else the fetched one."""
    fitting = [found for found in installed() if major in (None, found.major)]
    if fitting:
        return max(fitting, key=lambda found: found.major)
    fetched = _inspect(account.reachable(artifacts.postgres(major or FETCHED_MAJOR)))
    assert fetched, "the fetched programs do not run"
    return fetched


def installed() -> list[Programs]:
    folders = {Path(path) for pattern in FOLDERS for path in glob.glob(pattern)}
    if on_path := shutil.which("postgres"):
        folders.add(Path(on_path).resolve().parent)
    found = (_inspect(folder) for folder in sorted(folders))
    return [programs for programs in found if programs and programs.major >= OLDEST_MAJOR]


def _inspect(folder: Path) -> Programs | None:
    if not (folder / "initdb").exists():
        return None
    version = re.search(r"\(PostgreSQL\) ((\d+)\S*)", output_of([str(folder / "postgres"), "--version"]))
    return Programs(folder, int(version.group(2)), version.group(1)) if version else None
