"""An execution environment: a function's successive sandboxes, one invocation after the other.

Owns when a sandbox is made (with the first invocation, so that an init error is that invocation's answer and has a log, as on AWS),
when it is thrown away (after any fault), and the log of each invocation.
"""

import threading
import time
from collections.abc import Callable

from .faults import Answer, Fault
from .report import Report
from .runtime_api import Invocation
from .sandbox import STOP_GRACE, Sandbox


class Environment:
    """Answers one invocation at a time."""

    def __init__(self, make_sandbox: Callable[[], Sandbox], version: str, memory_mb: int):
        self._make_sandbox = make_sandbox
        self._version = version
        self._memory_mb = memory_mb
        self._sandbox: Sandbox | None = None
        self._lock = threading.Lock()  # of the two below
        self._busy = False
        self._stopped = False

    def invoke(self, invocation: Invocation) -> tuple[Answer, str]:
        """Returns the answer and the log."""
        with self._lock:
            self._busy = True
        try:
            return self._invoke(invocation)
        finally:
            with self._lock:
                self._busy = False
                stopped = self._stopped
            if stopped:
                self._discard(STOP_GRACE)

    def stop(self, drain: bool) -> None:
        """Ends the process: at once, or with `drain` after the invocation that runs."""
        with self._lock:
            self._stopped = True
            wait = drain and self._busy
        if not wait:
            self._discard(STOP_GRACE)

    def take_output(self) -> str:
        sandbox = self._sandbox
        return sandbox.take_output() if sandbox else ""

    def _invoke(self, invocation: Invocation) -> tuple[Answer, str]:
        fresh = not (self._sandbox and self._sandbox.usable)
        if fresh:
            self._discard()
            self._sandbox = self._make_sandbox()
        sandbox = self._sandbox  # stop() may take it from us
        report = Report(invocation.request_id, self._version, self._memory_mb)
        try:
            if fresh:
                report.init_seconds = sandbox.start(invocation.request_id)
                report.init_output = sandbox.take_output()
            answer = self._answer(sandbox, invocation, report)
        except Fault as fault:
            answer, report.fault = fault.answer, fault.line
            self._discard()
        report.output = sandbox.take_output()
        return answer, report.text()

    def _answer(self, sandbox: Sandbox, invocation: Invocation, report: Report) -> Answer:
        began = time.monotonic()
        try:
            return sandbox.invoke(invocation)
        finally:
            report.seconds = time.monotonic() - began
            report.peak_memory_mb = sandbox.peak_memory_mb()

    def _discard(self, grace: float = 0) -> None:
        sandbox, self._sandbox = self._sandbox, None
        if sandbox:
            sandbox.close(grace)
