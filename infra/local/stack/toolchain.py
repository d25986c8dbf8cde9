"""The programs that the user provides, and how to come by the missing ones.

Owns what is asked for; everything that can be fetched through a package registry is not asked for but installed (venvs.py,
artifacts.py).
"""

import importlib.util
import platform
import re
import shutil
import sys

from .commands import output_of, succeeds
from .problems import Missing

ADVICE = {
    "java": "Java 17 or newer (runs DynamoDB Local): apt-get install openjdk-17-jre-headless, or any JDK 17+ on the PATH",
    "mvn": "Maven (fetches DynamoDB Local and Postgres): apt-get install maven, or the binary archive of Apache Maven on the PATH",
    "go": "Go (builds the functions): golang-go of a recent Debian, or the archive from the Go project on the PATH",
    "make": "make (builds the functions): apt-get install make, or any POSIX make on the PATH",
    "venv": "Python's venv and ensurepip: apt-get install python3-venv, or a python3 that has them first on the PATH",
    "linux": "Linux on amd64 or arm64; elsewhere set BACKFILL_LOCAL=docker and start a Docker engine",
    "pgbouncer": "PgBouncer (its tests are skipped without): apt-get install pgbouncer, or a package or build of it on the PATH",
    "docker": "a Docker engine with compose v2 (BACKFILL_LOCAL=docker asks for it): apt-get install docker.io docker-compose-v2",
}
OLDEST_JAVA = 17


def require(*names: str) -> None:
    """Raises one Missing that lists all that is missing."""
    lines = [f"missing: {ADVICE[name]}" for name in names if not _present(name)]
    if lines:
        raise Missing("\n".join(lines))


def machine() -> str:
    """The processor in the words of Go and Docker."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _present(name: str) -> bool:
    match name:
        case "java":
            return _java_version() >= OLDEST_JAVA
        case "venv":
            return importlib.util.find_spec("ensurepip") is not None
        case "linux":
            return sys.platform == "linux" and machine() in ("amd64", "arm64")
        case "pgbouncer":  # what it is fetched with
            return all(map(shutil.which, ("apt-get", "dpkg")))
        case "docker":
            return succeeds(["docker", "compose", "version"]) and succeeds(["docker", "info"])
        case _:
            return shutil.which(name) is not None


def _java_version() -> int:
    found = re.search(r'version "(\d+)', output_of(["java", "-version"]))
    return int(found.group(1)) if found else 0
