"""The log of one invocation, in the lines that Lambda writes around a function's own.

Owns their format: people grep for START, END and REPORT, tools parse REPORT.
"""

from dataclasses import dataclass


@dataclass
class Report:
    """Filled in while the invocation goes on."""

    request_id: str
    version: str
    memory_mb: int
    peak_memory_mb: int = 0
    seconds: float = 0.0
    init_seconds: float | None = None  # None: the process was there already
    init_output: str = ""
    output: str = ""
    fault: str | None = None  # what ended the invocation, in one line

    def text(self) -> str:
        fault = f"{self.fault}\n" if self.fault else ""
        return (
            f"{_closed(self.init_output)}"
            f"START RequestId: {self.request_id} Version: {self.version}\n"
            f"{_closed(self.output)}{fault}"
            f"END RequestId: {self.request_id}\n"
            f"{self._figures()}\n"
        )

    def _figures(self) -> str:
        milliseconds = self.seconds * 1000
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {int(milliseconds) + 1} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {self.peak_memory_mb} MB",
        ]
        if self.init_seconds is not None:
            fields.append(f"Init Duration: {self.init_seconds * 1000:.2f} ms")
        return "\t".join(fields)


def _closed(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
