"""Function logs as files, for people: one per function, beside the stack's other logs.

Owns the folder that the variable names; without it nothing is written. CloudWatch Logs gets the same text from LocalStack.
"""

import os
from pathlib import Path

FOLDER_VARIABLE = "BACKFILL_FUNCTION_LOGS"
LIMIT = 32 * 1024 * 1024  # bytes of one function; then the file is begun anew and the last one kept beside it


def append(function: str, text: str) -> None:
    if not (value := os.environ.get(FOLDER_VARIABLE)):
        return
    file = Path(value) / f"{function}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as log:
        log.write(text)
        full = log.tell() > LIMIT
    if full:
        file.replace(file.with_suffix(".log.1"))
