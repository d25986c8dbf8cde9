"""What a LocalStack that was killed left running: functions and DynamoDB Local.

Owns the reading of the register; LocalStack's plug-in (localstack_process/register.py) writes it.
"""

import json

from .folder import Folder
from .processes import Process


def end(folder: Folder) -> int:
    """Ends what the register names; returns how many that were. Call it only while LocalStack does not run."""
    ended = 0
    for file in folder.register.glob("*.json"):
        process = _read(file)
        if process and process.alive:
            process.end(grace=1.0)
            ended += 1
        file.unlink(missing_ok=True)
    return ended


def _read(file) -> Process | None:
    try:
        return Process.of_entry(json.loads(file.read_text()))
    except (OSError, json.JSONDecodeError):
        return None
