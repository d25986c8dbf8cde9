"""The Lambda Runtime API, as one bootstrap process sees it, on a loopback port of its own.

Owns the rendezvous of one process and one invocation at a time. A process that was killed takes its RuntimeApi with it: a request
that it left waiting can so never swallow its successor's invocation.
"""

import threading
import time
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from queue import SimpleQueue

from . import faults
from .faults import Answer
from .runtime_requests import RuntimeRequest


@dataclass
class Invocation:
    """One invocation on its way to a function."""

    request_id: str
    function_arn: str
    trace_id: str
    payload: bytes
    timeout: float  # seconds, from delivery to answer
    deadline_ms: int = 0  # set on delivery


class RuntimeApi:
    """Hands a process its invocations and takes its answers."""

    def __init__(self):
        self.ready: Future[None] = Future()  # the process asked for its first invocation
        self._answer: Future[Answer] = Future()
        self._current: str | None = None
        self._waiting: SimpleQueue[Invocation | None] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), self._request)
        threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def deliver(self, invocation: Invocation) -> Future[Answer]:
        """Gives the process its next invocation; the future holds the answer, or the fault that ended it."""
        self._answer = Future()
        self._current = invocation.request_id
        invocation.deadline_ms = int((time.time() + invocation.timeout) * 1000)
        self._waiting.put(invocation)
        return self._answer

    def next(self) -> Invocation | None:
        """Called for the process: blocks until there is an invocation, None when it is too late for one."""
        _settle(self.ready, None)
        invocation = self._waiting.get()
        if invocation is None:
            self._waiting.put(None)  # for whoever else waits
        return invocation

    def answer(self, request_id: str, answer: Answer) -> bool:
        """Called for the process: False when it answers an invocation that it does not have."""
        return request_id == self._current and _settle(self._answer, answer)

    def fail_init(self, payload: bytes) -> None:
        """Called for the process, which cannot initialize."""
        _settle_fault(self.ready, faults.init_failed(payload))

    def abort(self, fault: Exception) -> None:
        """Ends whatever is awaited of the process."""
        _settle_fault(self.ready, fault)
        _settle_fault(self._answer, fault)

    def close(self) -> None:
        """Ends the server; not waited for, since its loop looks up only twice a second."""
        self._waiting.put(None)
        threading.Thread(target=self._shut, name="runtime-api-close", daemon=True).start()

    def _shut(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _request(self, *args) -> RuntimeRequest:
        return RuntimeRequest(self, *args)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Nothing: a killed process drops its connection, and its end is reported elsewhere."""


def _settle(future: Future, result) -> bool:
    """The first to settle wins: an answer and a kill may cross."""
    try:
        future.set_result(result)
        return True
    except InvalidStateError:
        return False


def _settle_fault(future: Future, fault: Exception) -> None:
    try:
        future.set_exception(fault)
    except InvalidStateError:
        pass
