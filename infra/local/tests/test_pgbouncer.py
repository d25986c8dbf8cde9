"""PgBouncer's program: installed, fetched, or named as missing."""

import pwd
import shutil
import subprocess

import pytest

from infra.local.stack import account, pgbouncer
from infra.local.stack.folder import Folder
from infra.local.stack.problems import Missing

from .conftest import Stand
from .test_command_line import command


@pytest.fixture
def nothing_installed(monkeypatch):
    monkeypatch.setattr(pgbouncer, "installed", lambda: None)


def test_installed_program_wins(tmp_path):
    program = tmp_path / "pgbouncer"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = command("tool", "pgbouncer", folder=tmp_path / "folder", PATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{program}\n", "")


@pytest.mark.skipif(not shutil.which("apt-get"), reason="nothing to fetch it with")
def test_fetched_program_runs_unprivileged(tmp_path, nothing_installed):
    program = pgbouncer.program(Stand.at(tmp_path).folder)
    user = account.unprivileged()
    identity = {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []} if user is not None else {}
    done = subprocess.run([program, "--version"], capture_output=True, text=True, cwd="/", **identity)
    assert done.returncode == 0 and done.stdout.startswith("PgBouncer 1."), done.stderr
    assert not (program.parents[1] / "apt").exists()


def test_missing_program_is_named_in_a_line(tmp_path, nothing_installed, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Missing, match="^missing: PgBouncer .*apt-get install pgbouncer[^\n]*$"):
        pgbouncer.program(Folder(tmp_path))
