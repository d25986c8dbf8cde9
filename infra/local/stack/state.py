"""What the stack remembers between two commands: state.json.

Owns the file; each part of the stack owns the entry under its name. Readable by its owner only, since it holds the passwords of the
servers that were made here.
"""

import json
import os
from pathlib import Path
from typing import Any


class State:
    """Entries by name, written through."""

    def __init__(self, path: Path):
        self._path = path

    def get(self, name: str) -> dict[str, Any]:
        return self._read().get(name, {})

    def names(self, prefix: str = "") -> list[str]:
        return [name for name in self._read() if name.startswith(prefix)]

    def put(self, name: str, entry: dict[str, Any]) -> None:
        self._write({**self._read(), name: entry})

    def drop(self, name: str) -> None:
        self._write({key: entry for key, entry in self._read().items() if key != name})

    def _read(self) -> dict[str, Any]:
        try:
            return json.loads(self._path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def _write(self, entries: dict[str, Any]) -> None:
        draft = self._path.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(entries, file, indent=2)
        draft.replace(self._path)
