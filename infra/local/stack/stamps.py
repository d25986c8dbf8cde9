"""Stamps: how an installation knows that it is whole and up to date.

Owns a file, written last, that holds a digest of what the installation was made from.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

STAMP = ".installed-from"


def digest(*parts: Path | str) -> str:
    """Of contents, not of names or times."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()


def is_current(folder: Path, source: str) -> bool:
    try:
        return (folder / STAMP).read_text() == source
    except OSError:
        return False


def install(folder: Path, source: str, make: Callable[[], None]) -> None:
    """Calls `make` with the folder gone, and stamps what it made. Cut short, it is done again from the start the next time."""
    shutil.rmtree(folder, ignore_errors=True)
    make()
    (folder / STAMP).write_text(source)


def files_under(folder: Path, keep: Callable[[Path], bool] = lambda path: True) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and keep(path))
