"""Postgres servers: started once, found again, recovered when killed."""

import os
import signal
import socket
import struct
from pathlib import Path

import pytest

from infra.local.stack import account, postgres, up
from infra.local.stack.artifacts import Artifacts
from infra.local.stack.down import down
from infra.local.stack.postgres import Server
from infra.local.stack.postgres_programs import find
from infra.local.stack.processes import Process

from .conftest import Stand
from .waiting import eventually

KEY = "postgres-tests-15"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    stand = stand_for_postgres(tmp_path_factory.mktemp("postgres"))
    yield stand
    postgres.stop_all(stand.state)


@pytest.fixture
def start(place: Stand):
    programs = find(15, Artifacts(place.folder))
    return lambda: Server(place.folder, place.state, "tests", programs).start()


def process(place: Stand) -> Process:
    return Process.of_entry(place.state.get(KEY))


def test_second_start_finds_the_first(place, start):
    assert start() == start()
    assert process(place).alive


def test_wants_the_password(place, start):
    start()
    assert asks_for(place.state.get(KEY)["port"]) == "scram-sha-256"


def test_killed_server_comes_back_at_the_same_place(place, start):
    url = start()
    os.kill(process(place).pid, signal.SIGKILL)
    eventually(lambda: not process(place).alive)
    assert start() == url


def test_pid_file_that_names_another_program(place, start):
    url = start()
    os.kill(process(place).pid, signal.SIGKILL)
    eventually(lambda: not process(place).alive)
    pid_file = next(place.folder.postgres.rglob("postmaster.pid"))
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]))
    assert start() == url


def test_stopping_leaves_nothing(place, start):
    start()
    postgres.stop_all(place.state)
    assert not process(place).alive
    data = str(next(place.folder.postgres.rglob("data")))
    eventually(lambda: not [pid for pid in os.listdir("/proc") if pid.isdigit() and data in command(pid)])


def test_durable_server_is_one_beside_the_tests(place, start):
    start()
    url = up.test_database(place.folder, place.state, 15, durable=True)
    durable = Process.of_entry(place.state.get("postgres-durable-15"))
    settings = command(str(durable.pid)).split("\0")
    assert url != start() and process(place).alive and durable.alive
    assert "fsync=on" in settings and "shared_buffers=2GB" in settings
    postgres.stop_all(place.state)
    assert not durable.alive


def test_server_of_tests_is_in_memory_and_goes_with_the_stack(tmp_path):
    stand = stand_for_postgres(tmp_path)
    up.test_database(stand.folder, stand.state, 15)
    home = Path(stand.state.get(KEY)["home"])
    assert home.parent == account.in_memory(stand.folder.postgres) and (home / "data" / "PG_VERSION").exists()
    down(stand.folder, stand.state, purge=False)
    assert not home.parent.exists()
    assert up.test_database(stand.folder, stand.state, 15)
    down(stand.folder, stand.state, purge=False)


def test_server_of_tests_is_on_the_disk_where_memory_is_small(tmp_path, monkeypatch):
    monkeypatch.setattr(account, "ROOM", 1 << 50)
    stand = stand_for_postgres(tmp_path)
    up.test_database(stand.folder, stand.state, 15)
    assert Path(stand.state.get(KEY)["home"]).parent == account.place(stand.folder.postgres)
    down(stand.folder, stand.state, purge=False)
    assert (Path(stand.state.get(KEY)["home"]) / "data").exists()


def stand_for_postgres(root: Path) -> Stand:
    stand = Stand.at(root)
    for folder in (stand.folder.root, *stand.folder.root.parents[:2]):
        folder.chmod(0o755)  # pytest closes its folders to others; Postgres may have to be another
    return stand


def asks_for(port: int) -> str:
    """The authentication that the server wants, by the first message of its protocol."""
    parameters = b"user\0backfill\0database\0backfill\0\0"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(struct.pack("!ii", 8 + len(parameters), 196608) + parameters)
        answer = connection.recv(100)
    assert answer[:1] == b"R" and struct.unpack("!i", answer[5:9])[0] == 10, "not SASL"
    return answer[9:].split(b"\0")[0].decode().lower()


def command(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
