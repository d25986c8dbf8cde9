"""The Python programs of the stack, each in a venv of its own, from hash-locked requirements.

Owns .local/tools/{uv,localstack,sam,checkov}. uv installs the others in seconds; where it cannot (a registry that only pip is set up for),
pip does in minutes, from the same lock.
"""

import os
import sys
from pathlib import Path

from . import stamps
from .commands import run
from .folder import SOURCES, Folder
from .problems import Failed, Missing
from .progress import say, step

PYTHONS = ">=3.11,<3.13"  # LocalStack 4.9.2 runs on these
PYTHON_ADVICE = "Python 3.11 or 3.12 (runs LocalStack and SAM): apt-get install python3.11-venv, or either of them on the PATH"
FOREIGN = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")  # the user's own Python, not ours
PLUGIN = SOURCES / "localstack_process"


class Venvs:
    """Installs on demand and says where the programs are."""

    def __init__(self, folder: Folder):
        self._tools = folder.tools
        self._log = folder.log / "install.log"
        self._temporary = folder.temporary

    def sam(self) -> Path:
        return self._venv("sam", "AWS SAM CLI", self._packages) / "bin/sam"

    def cfn_lint(self) -> Path:
        """SAM brings it along."""
        return self.sam().with_name("cfn-lint")

    def checkov(self) -> Path:
        return self._venv("checkov", "checkov", self._packages) / "bin/checkov"

    def localstack_python(self) -> Path:
        return self._venv("localstack", "LocalStack", self._localstack, PLUGIN / "pyproject.toml") / "bin/python"

    def _venv(self, name: str, title: str, fill, *sources: Path) -> Path:
        folder, lock = self._tools / name, _lock(name)
        # The path is part of the source: a venv that was moved points to where it was.
        source = stamps.digest(lock, str(folder), *sources)
        if not stamps.is_current(folder, source):
            uv = self._uv()
            with step(f"install {title}"):
                stamps.install(folder, source, lambda: fill(uv, folder, lock))
        return folder

    def _uv(self) -> Path:
        folder, lock = self._tools / "uv", _lock("uv")
        source = stamps.digest(lock, str(folder), sys.executable)
        if not stamps.is_current(folder, source):
            with step("install uv"):
                stamps.install(folder, source, lambda: self._bootstrap(folder, lock))
        return folder / "bin/uv"

    def _bootstrap(self, folder: Path, lock: Path) -> None:
        self._run([sys.executable, "-m", "venv", folder], "making a venv")
        self._run([folder / "bin/pip", "install", "--quiet", "--require-hashes", "-r", lock], "installing uv")

    def _packages(self, uv: Path, folder: Path, lock: Path) -> None:
        # uv looks on the PATH and in its own folder, and fetches a Python where it may.
        self._run([uv, "venv", "--quiet", "--python", PYTHONS, folder], "making a venv", advice=PYTHON_ADVICE)
        try:
            self._run([uv, "pip", "install", "--compile-bytecode", "--python", folder, "--require-hashes", "-r", lock], f"installing {lock.name}")
        except Failed:
            say("          uv could not install it; trying pip, which is slower")
            self._run([folder / "bin/python", "-m", "ensurepip"], "installing pip")
            self._run([folder / "bin/python", "-m", "pip", "install", "--require-hashes", "-r", lock], f"installing {lock.name}")

    def _localstack(self, uv: Path, folder: Path, lock: Path) -> None:
        self._packages(uv, folder, lock)
        # --no-build-isolation: its build backend comes from the lock too. Editable: a change needs a restart of LocalStack only.
        self._run([uv, "pip", "install", "--python", folder, "--no-deps", "--no-build-isolation", "--editable", PLUGIN], "installing the plug-in")

    def _run(self, argv: list, what: str, advice: str = "") -> None:
        env = {key: value for key, value in os.environ.items() if key not in FOREIGN} | {"UV_SYSTEM_CERTS": "1", "TMPDIR": str(self._temporary)}
        try:
            run(list(map(str, argv)), log=self._log, what=what, env=env)
        except Failed as error:
            raise Missing(f"missing: {advice}") if advice and "No interpreter found" in str(error) else error


def _lock(name: str) -> Path:
    return SOURCES / "requirements" / f"{name}.txt"
