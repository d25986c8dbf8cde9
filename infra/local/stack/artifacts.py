"""The Java archives of the stack: DynamoDB Local, and Postgres for machines that lack the major version wanted.

Owns .local/tools/{dynamodb,postgres-*}. Maven fetches with its own settings; every file is then held against the checksums of this
repository, so that nothing unexpected is ever run.
"""

import hashlib
import tarfile
import zipfile
from pathlib import Path

from . import stamps, toolchain
from .commands import run
from .folder import SOURCES, Folder
from .problems import Failed
from .progress import step

LOCKS = SOURCES / "artifacts"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
POSTGRES = "embedded-postgres-binaries-linux-{classifier}"
CLASSIFIERS = {"amd64": "amd64", "arm64": "arm64v8"}


class Artifacts:
    """Installs on demand and says where the files are."""

    def __init__(self, folder: Folder):
        self._tools = folder.tools
        self._log = folder.log / "install.log"

    def dynamodb(self) -> Path:
        """The folder of DynamoDB Local's jars."""
        folder, pom, lock = self._tools / "dynamodb", LOCKS / "dynamodb.pom.xml", LOCKS / "dynamodb.sha256"
        goal = [f"{DEPENDENCY_PLUGIN}:copy-dependencies", "-f", str(pom), "-DincludeScope=runtime"]
        self._fetch("DynamoDB Local", folder, stamps.digest(pom, lock), goal, _checksums(lock))
        return folder

    def postgres(self, major: int) -> Path:
        """The folder of Postgres' programs."""
        name, checksum = _postgres_of(major)
        folder = self._tools / f"postgres-{major}"
        version = name.removesuffix(".jar").rpartition("-")[2]
        artifact = f"io.zonky.test.postgres:{name.removesuffix(f'-{version}.jar')}:{version}"
        goal = [f"{DEPENDENCY_PLUGIN}:copy", f"-Dartifact={artifact}"]
        self._fetch(f"PostgreSQL {version}", folder, checksum, goal, {name: checksum}, unpack=_unpack_postgres)
        return folder / "bin"

    def _fetch(self, title: str, folder: Path, source: str, goal: list[str], checksums: dict[str, str], unpack=lambda folder: None) -> None:
        if stamps.is_current(folder, source):
            return
        toolchain.require("mvn")
        with step(f"install {title}"):
            stamps.install(folder, source, lambda: (self._maven(goal, folder, title), _verify(folder, checksums), unpack(folder)))

    def _maven(self, goal: list[str], folder: Path, title: str) -> None:
        run(["mvn", "-B", "--no-transfer-progress", *goal, f"-DoutputDirectory={folder}"], log=self._log, what=f"fetching {title}")


def _postgres_of(major: int) -> tuple[str, str]:
    prefix = POSTGRES.format(classifier=CLASSIFIERS[toolchain.machine()])
    for name, checksum in _checksums(LOCKS / "postgres.sha256").items():
        if name.startswith(f"{prefix}-{major}."):
            return name, checksum
    raise Failed(f"PostgreSQL {major} is neither installed nor listed in {LOCKS / 'postgres.sha256'}")


def _checksums(lock: Path) -> dict[str, str]:
    pairs = (line.split() for line in lock.read_text().splitlines())
    return {name: checksum for checksum, name in pairs}


def _verify(folder: Path, expected: dict[str, str]) -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    if found != expected:
        names = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
        raise Failed(f"these files are not what the lock file expects: {', '.join(names)}")


def _unpack_postgres(folder: Path) -> None:
    """The jar holds one archive, which holds bin, lib and share."""
    jar = next(folder.glob("*.jar"))
    with zipfile.ZipFile(jar) as outer:
        inner = next(name for name in outer.namelist() if name.endswith(".txz"))
        with outer.open(inner) as packed, tarfile.open(fileobj=packed, mode="r:xz") as archive:
            if hasattr(tarfile, "data_filter"):  # from 3.10.12 and 3.11.4 on; later the default
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(folder)
    jar.unlink()
