"""`down`: ends what was started here, by recorded identity, and nothing else.

Owns the order: first who sends work, then who takes it.
"""

import shutil

from . import account, docker, pgbouncer, postgres
from .artifacts import Artifacts
from .dynamodb import TestServer
from .folder import Folder
from .localstack import LocalStack
from .progress import step
from .state import State
from .venvs import Venvs


def down(folder: Folder, state: State, purge: bool) -> None:
    if state.get(docker.KEY):
        docker.down(folder, state, purge)
    LocalStack(folder, state, Venvs(folder), Artifacts(folder)).stop()
    TestServer(folder, state).stop()
    postgres.stop_all(state)
    shutil.rmtree(account.in_memory(folder.postgres), ignore_errors=True)
    if purge:
        _remove(folder)


def _remove(folder: Folder) -> None:
    """Data and downloads, and what had to be put outside (see account.py)."""
    outside = [account.outside(inside) for inside in (folder.postgres, *folder.tools.glob("postgres-*"), folder.tools / pgbouncer.NAME)]
    with step(f"remove {folder.root}"):
        for path in (*outside, folder.root):
            shutil.rmtree(path, ignore_errors=True)
