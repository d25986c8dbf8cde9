"""What a function writes to stdout and stderr, kept until the invocation that it belongs to is answered.

Owns the pipe and a bounded buffer: a function that prints without end costs its oldest lines, not LocalStack's memory.
"""

import os
import select
import threading

LIMIT = 256 * 1024  # of one invocation; a log event of CloudWatch holds as much


class Output:
    """A pipe that is always read."""

    def __init__(self, limit: int = LIMIT):
        self._limit = limit
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._dropped = 0
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._open = True

    def follow(self) -> None:
        """Begins to read; called when the program holds the writing end, which is closed here."""
        os.close(self.writer)
        threading.Thread(target=self._pump, name="function-output", daemon=True).start()

    def take(self) -> str:
        """All that was written since the last call, up to this moment: what precedes an answer is in the pipe before the answer is."""
        with self._lock:
            self._read()
            text = bytes(self._kept).decode(errors="replace")
            notice = f"[{self._dropped} bytes of older output dropped]\n" if self._dropped else ""
            self._kept.clear()
            self._dropped = 0
        return notice + text

    def _pump(self) -> None:
        while self._open:
            select.select([self._reader], [], [])
            with self._lock:
                self._read()

    def _read(self) -> None:
        """Reads what the pipe holds, and closes it when its writers are gone. Under the lock, since the number is reused then."""
        try:
            while self._open:
                if data := os.read(self._reader, 65536):
                    self._keep(data)
                else:
                    self._open = False
                    os.close(self._reader)
        except BlockingIOError:
            pass  # empty, and more may come

    def _keep(self, data: bytes) -> None:
        self._kept += data
        excess = len(self._kept) - self._limit
        if excess > 0:
            end_of_line = self._kept.find(b"\n", excess)
            cut = excess if end_of_line < 0 else end_of_line + 1
            del self._kept[:cut]
            self._dropped += cut
