"""LocalStack's life: started once, found again, replaced when killed, and gone without a trace."""

import os
import signal
import socket

from infra.local.stack import leftovers, ports
from infra.local.stack.localstack import KEY

from .conftest import Stand, exists
from .waiting import eventually


def test_second_start_finds_the_first(stand: Stand):
    before = stand.localstack.instance
    stand.start()
    assert stand.localstack.instance == before


def test_dynamodb_runs_as_a_group_of_ours(stand: Stand):
    stand.client("dynamodb").list_tables()
    assert any("DynamoDB Local" in entry.read_text() for entry in stand.folder.register.glob("*.json"))


def test_killed_localstack_is_replaced_and_leaves_nothing(own_stand: Stand):
    stand = own_stand
    taken = stand.localstack.port
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", taken))
        holder.listen()
        stand.start()
    assert stand.localstack.port != taken, "the port was taken"
    kept = stand.localstack.port
    stand.client("dynamodb").list_tables()
    (java,) = [int(entry.stem) for entry in stand.folder.register.glob("*.json")]

    os.kill(stand.state.get(KEY)["pid"], signal.SIGKILL)
    eventually(lambda: not stand.localstack.is_running())
    assert exists(java)
    stand.start()
    assert not exists(java) and stand.localstack.port == kept

    stand.client("dynamodb").list_tables()
    stand.localstack.stop()
    eventually(lambda: not stand.processes())
    assert ports.is_free(kept)


def test_stale_register_ends_nobody(own_stand: Stand):
    entry = f'{{"pid": {os.getpid()}, "started": "1", "boot": "another", "command": "function x"}}'
    (own_stand.folder.register / "1.json").write_text(entry)
    assert leftovers.end(own_stand.folder) == 0  # and this test goes on
    assert not list(own_stand.folder.register.iterdir())
