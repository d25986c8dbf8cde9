"""Processes are known by more than their number."""

import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from infra.local.stack import ports, processes, stamps
from infra.local.stack.folder import Folder
from infra.local.stack.processes import Process

from .waiting import eventually


@pytest.fixture
def sleeper(tmp_path):
    process = processes.start(["sleep", "600"], log=tmp_path / "sleep.log", env=dict(os.environ), cwd=tmp_path)
    yield process
    process.end(grace=0)


def test_number_that_is_used_again_is_not_the_process(sleeper):
    stale = replace(sleeper, started=str(int(sleeper.started) - 1))
    assert not stale.alive
    stale.end()
    assert sleeper.alive


def test_entry_of_another_boot_is_not_the_process(sleeper):
    assert not replace(sleeper, boot="another").alive


def test_entry_survives_the_state_file(sleeper):
    assert Process.of_entry({**sleeper.entry(), "port": 1}) == sleeper
    assert Process.of_entry({}) is None


def test_end_takes_the_group_along(tmp_path):
    script = "trap '' TERM; sleep 600 & echo $!; wait"
    log = tmp_path / "group.log"
    process = processes.start(["sh", "-c", script], log=log, env=dict(os.environ), cwd=tmp_path)
    child = int(eventually(lambda: log.read_text().strip()))
    process.end(signal.SIGTERM, grace=0.1)
    assert not process.alive
    eventually(lambda: processes.start_time(child) is None)


def test_zombie_is_not_alive():
    child = subprocess.Popen(["true"])
    started = eventually(lambda: processes.start_time(child.pid) is None)
    assert started
    child.wait()


def test_occupied_port_gives_another():
    taken = ports.free()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", taken))
        holder.listen()
        assert ports.free(taken) != taken
    assert ports.free(taken) == taken


def test_installation_cut_short_is_done_again(tmp_path):
    folder = tmp_path / "tool"

    def cut_short():
        folder.mkdir()
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stamps.install(folder, "source", cut_short)
    assert not stamps.is_current(folder, "source")
    stamps.install(folder, "source", folder.mkdir)
    assert stamps.is_current(folder, "source") and not (folder / "half").exists()


def test_two_commands_take_turns(tmp_path):
    folder, order = Folder(tmp_path), []
    code = "import sys; from infra.local.stack.folder import *\nwith Folder(Path(sys.argv[1])).lock(): print('in', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "in\n"

    def second():
        with folder.lock():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    order.append("first")
    other.communicate("")
    thread.join()
    assert order == ["first", "second"]
