"""PgBouncer's program, for tests that put a pooler in front of Postgres; they start it themselves.

Owns .local/tools/pgbouncer. An installed one wins. Else apt's packages are fetched and unpacked here, with the libraries that this
machine lacks. Nothing is installed, and apt's own files stay as they are: its lists are fetched to a folder that is thrown away.
"""

import shutil
from pathlib import Path

from . import account, stamps, toolchain
from .commands import output_of, run
from .folder import Folder
from .problems import Failed
from .progress import step

NAME = "pgbouncer"
PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"  # sbin is not on everybody's PATH
RELEASE = Path("/etc/os-release")  # packages of another release may not run
# The unpacked libraries are for this program alone.
STARTER = """#!/bin/sh
here=$(dirname "$0")/..
LD_LIBRARY_PATH={libraries} exec "$here/{program}" "$@"
"""


def program(folder: Folder) -> Path:
    """The path of a program that runs. Missing where none is installed and apt cannot fetch one."""
    if found := installed():
        return Path(found)
    toolchain.require("linux", NAME)
    home = folder.tools / NAME
    source = stamps.digest(RELEASE)
    if not stamps.is_current(home, source):
        with step("install PgBouncer") as result:
            stamps.install(home, source, lambda: _Packages(home, folder.log / "install.log").unpack())
            result.append(_version(home / "bin" / NAME))
    return account.reachable(home / "bin") / NAME


def installed() -> str | None:
    return shutil.which(NAME) or shutil.which(NAME, path=PLACES)


def _version(path: Path) -> str:
    answer = output_of([str(path), "--version"]).splitlines() or [""]
    if not answer[0].startswith("PgBouncer"):
        raise Failed(f"the fetched PgBouncer does not run: {answer[0]}")
    return answer[0].removeprefix("PgBouncer ")


class _Packages:
    """What apt would install, unpacked in a folder of our own."""

    def __init__(self, home: Path, log: Path):
        self._home = home
        self._log = log
        self._apt = home / "apt"

    def unpack(self) -> None:
        for path in ("lists/partial", "cache/archives/partial"):
            (self._apt / path).mkdir(parents=True)
        self._run([*self._command(), "update"])
        self._run([*self._command(), "download", *self._lacking()], cwd=self._apt)
        for package in self._apt.glob("*.deb"):
            self._run(["dpkg", "-x", package, self._home])
        shutil.rmtree(self._apt)
        self._write_starter()

    def _lacking(self) -> list[str]:
        """The program's package, and those of libraries that are not installed, as apt's resolver finds them."""
        plan = output_of([*self._command(), "--simulate", "--no-install-recommends", "install", NAME])
        names = [words[1] for words in map(str.split, plan.splitlines()) if words[:1] == ["Inst"]]
        return [name for name in names if name == NAME or name.startswith("lib")] or [NAME]

    def _write_starter(self) -> None:
        folders = sorted({path.parent.relative_to(self._home) for path in self._home.rglob("lib*.so*")})
        starter = self._home / "bin" / NAME
        starter.parent.mkdir()
        libraries = ":".join(f'"$here/{path}"' for path in folders)
        starter.write_text(STARTER.format(libraries=libraries, program=f"usr/sbin/{NAME}"))
        starter.chmod(0o755)

    def _command(self) -> list[str]:
        settings = {"Dir::State::lists": self._apt / "lists", "Dir::Cache": self._apt / "cache", "APT::Sandbox::User": "root"}
        return ["apt-get", "--quiet", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]

    def _run(self, argv: list, **options) -> None:
        run(argv, log=self._log, what="fetching PgBouncer", **options)
