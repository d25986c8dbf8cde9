"""Postgres servers of the stack: one for the stack itself, and for each major version one for tests and a durable one.

Owns their data folders, passwords, ports and processes. The data stays when a server is stopped, but for what is in memory; `down --purge`
removes it.
"""

import os
import secrets
import signal
import time
from pathlib import Path

from . import account, ports, processes
from .commands import run
from .folder import Folder
from .postgres_programs import Programs
from .problems import Failed
from .processes import Process
from .progress import step
from .state import State

# Not "backfill": the search path begins with a schema of the role's own name, and that one is the product's.
ROLE = DATABASE = "app"
START_LIMIT = 60.0  # seconds; a server that was killed recovers first
STOP_GRACE = 30.0  # seconds for the checkpoint at shutdown
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # none: a socket's path has 107 bytes, a checkout's may have more
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "fsync": "on",
}
# Tests make and drop hundreds of databases, and none of them ends the machine: a process that dies loses nothing.
SETTINGS_OF_TESTS = {"fsync": "off", "full_page_writes": "off", "max_connections": "300"}
# Benchmarks measure what a server in use does: every commit is on the disk, and a checkpoint is no surprise in the middle.
SETTINGS_OF_BENCHMARKS = {
    "synchronous_commit": "on",
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",
}


class Server:
    """One server, by name and major version."""

    def __init__(self, folder: Folder, state: State, name: str, programs: Programs, settings: dict[str, str] | None = None, volatile: bool = False):
        """`volatile`: its data is in memory, where there is room."""
        self._state = state
        self._programs = programs
        self._settings = settings or {}
        self._user = account.unprivileged()
        self._key = f"postgres-{name}-{programs.major}"
        place = account.volatile_place if volatile else account.place
        self._home = place(folder.postgres) / f"{name}-{programs.major}"
        self._data = self._home / "data"
        self._log = folder.log / f"{self._key}.log"

    def start(self) -> str:
        """Starts it unless it runs; returns its URL."""
        entry = self._state.get(self._key)
        process = Process.of_entry(entry)
        if not (process and process.alive):
            with step(f"start PostgreSQL {self._programs.version}") as result:
                self._make_data()
                port = ports.free(entry.get("port"))
                self._launch(port)
                result.append(f"127.0.0.1:{port}, data in {self._home}")
        return url(self._state, self._key)

    def _make_data(self) -> None:
        """initdb, into a draft: a data folder exists only when it is whole."""
        if self._data.exists():
            return
        draft, password = self._home / "draft", self._home / "password"
        run(["rm", "-rf", str(draft)], log=self._log, what="removing an unfinished data folder")
        self._home.mkdir(exist_ok=True)
        password.write_text(secrets.token_urlsafe(18))
        password.chmod(0o600)
        self._own(self._home, password)
        self._initdb(draft, password)
        self._create_database(draft)
        draft.rename(self._data)

    def _initdb(self, data: Path, password: Path) -> None:
        # A linguistic default collation, as most databases have: byte order would hide mistakes with text keys.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]
        argv = [self._programs.initdb, "-D", str(data), "-U", ROLE, "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", *locale]
        self._run(argv, "initdb")

    def _create_database(self, data: Path) -> None:
        statement = self._home / "create.sql"  # by file, since neither psql nor createdb come with the fetched programs
        statement.write_text(f"CREATE DATABASE {DATABASE}\n")
        with statement.open() as stdin:
            self._run([self._programs.postgres, "--single", "-D", str(data), "postgres"], "creating the database", stdin=stdin)

    def _run(self, argv: list[str], what: str, **options) -> None:
        identity = {"user": self._user, "group": processes.group_of(self._user), "extra_groups": []} if self._user is not None else {}
        run(argv, log=self._log, what=what, env=_environment(), cwd=self._home, **identity, **options)

    def _launch(self, port: int) -> None:
        self._remove_stale_pid_file()
        chosen = {**SETTINGS, **self._settings}
        settings = [text for name, value in chosen.items() for text in ("-c", f"{name}={value}")]
        argv = [self._programs.postgres, "-D", str(self._data), "-p", str(port), *settings]
        process = processes.start(argv, log=self._log, env=_environment(), cwd=self._home, user=self._user)
        self._state.put(self._key, {**process.entry(), "port": port, "home": str(self._home), "version": self._programs.version})
        self._await_ready(process)

    def _await_ready(self, process: Process) -> None:
        """The server notes in its pid file when it takes connections."""
        deadline = time.monotonic() + START_LIMIT
        while not self._is_ready(process.pid):
            if not process.alive or time.monotonic() > deadline:
                raise Failed("PostgreSQL did not start", self._log)
            time.sleep(processes.POLL)

    def _is_ready(self, pid: int) -> bool:
        lines = self._pid_file_lines()
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].startswith("ready")

    def _remove_stale_pid_file(self) -> None:
        """Postgres refuses to start while the number in its pid file belongs to any process, be it another program's by now."""
        lines = self._pid_file_lines()
        if lines and not _is_server_of(lines[0], self._data):
            (self._data / "postmaster.pid").unlink()

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _own(self, *paths: Path) -> None:
        if self._user is not None:
            for path in paths:
                os.chown(path, self._user, processes.group_of(self._user))


def url(state: State, key: str) -> str:
    """How to reach a server that was started."""
    entry = state.get(key)
    password = (Path(entry["home"]) / "password").read_text()
    return f"postgres://{ROLE}:{password}@127.0.0.1:{entry['port']}/{DATABASE}?sslmode=disable"


def stop_all(state: State) -> None:
    for key in state.names("postgres-"):
        process = Process.of_entry(state.get(key))
        if process and process.alive:
            with step(f"stop PostgreSQL {state.get(key)['version']} ({key})"):
                process.end(signal.SIGINT, STOP_GRACE)  # "fast": sessions are ended, the data is left clean


def _is_server_of(pid: str, data: Path) -> bool:
    try:
        return str(data).encode() in Path(f"/proc/{int(pid)}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False


def _environment() -> dict[str, str]:
    """Without PGDATA, PGPORT and their like, which the server would heed."""
    return {"PATH": os.environ.get("PATH", ""), "LANG": "C", "TZ": "UTC"}
