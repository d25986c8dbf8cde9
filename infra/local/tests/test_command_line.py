"""What the commands print and how they exit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.stack.folder import PROJECT
from infra.local.stack.postgres_programs import installed


def command(*arguments: str, folder, **variables) -> subprocess.CompletedProcess:
    env = {**os.environ, "BACKFILL_LOCAL_FOLDER": str(folder), **variables}
    return subprocess.run([sys.executable, "-m", "infra.local.stack", *arguments], cwd=PROJECT, env=env, capture_output=True, text=True)


def test_env_when_nothing_is_up(tmp_path):
    done = command("env", folder=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "the local stack is not up: run `make up`\n"


def test_missing_programs_are_named_in_a_line_each(tmp_path):
    done = command("up", folder=tmp_path, PATH="/nonexistent")
    lines = done.stderr.splitlines()
    assert done.returncode == 3 and done.stdout == ""
    assert {line.split()[1] for line in lines} == {"Java", "Go", "make"}
    assert all(line.startswith("missing: ") and "apt-get install" in line or "Go project" in line for line in lines)


def test_missing_engine_is_named(tmp_path):
    done = command("up", folder=tmp_path, PATH="/nonexistent", BACKFILL_LOCAL="docker")
    assert done.returncode == 3 and "a Docker engine" in done.stderr


@pytest.mark.skipif(not installed(), reason="the programs would be fetched")
def test_postgres_programs_are_where_it_says(tmp_path):
    done = command("tool", "postgres", folder=tmp_path)
    folder = Path(done.stdout.strip())
    assert done.returncode == 0 and (folder / "initdb").exists() and (folder / "postgres").exists(), done.stderr


def test_down_of_nothing(tmp_path):
    assert command("down", "--purge", folder=tmp_path / "none").returncode == 0
    assert not (tmp_path / "none").exists()
