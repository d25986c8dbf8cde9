"""The register of live process groups: one small file for each, so that a LocalStack killed in its tracks leaves no unknown process.

Owns the files; the stack (infra/local/stack/leftovers.py) reads them and ends what they name. A process is named by its id, its
start time and the boot of both, because ids are used again.
"""

import json
import os
from pathlib import Path

FOLDER_VARIABLE = "BACKFILL_PROCESS_REGISTER"
BOOT = Path("/proc/sys/kernel/random/boot_id")


def add(pid: int, what: str) -> None:
    """Notes a group leader, before it can have started anything of its own that outlives it."""
    if folder := _folder():
        folder.mkdir(parents=True, exist_ok=True)
        entry = {"pid": pid, "started": start_time(pid), "boot": BOOT.read_text().strip(), "command": what}
        draft = folder / f".{pid}.draft"
        draft.write_text(json.dumps(entry))
        draft.replace(folder / f"{pid}.json")


def remove(pid: int) -> None:
    """Strikes a group that has ended."""
    if folder := _folder():
        (folder / f"{pid}.json").unlink(missing_ok=True)


def start_time(pid: int) -> str:
    """The kernel's start time of a process in clock ticks since boot: with the id it names one process for good."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[19]  # the name may hold spaces and brackets: count from its end


def _folder() -> Path | None:
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(value) if value else None
