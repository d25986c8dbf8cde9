"""How an invocation ends when the function itself cannot say it, in the words of AWS.

Owns the wording: state machines and tests match errorType, people search for errorMessage.
"""

import json
import signal
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What the caller of a function gets."""

    payload: bytes
    is_error: bool = False


class Fault(Exception):
    """A function's process failed; `answer` is what the caller gets."""

    def __init__(self, answer: Answer, line: str):
        super().__init__(line)
        self.answer = answer
        self.line = line  # for the function's log


def timed_out(request_id: str, seconds: float) -> Fault:
    text = f"Task timed out after {seconds:.2f} seconds"
    return Fault(_answer("Sandbox.Timedout", f"RequestId: {request_id} Error: {text}"), f"{request_id} {text}")


def exited(request_id: str, status: int) -> Fault:
    text = f"RequestId: {request_id} Error: {_exit_text(status)}"
    return Fault(_answer("Runtime.ExitError", text), text)


def too_large(size: int, limit: int) -> Fault:
    text = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    return Fault(_answer("Function.ResponseSizeTooLarge", text), f"{text} It was {size} bytes or more.")


def not_executable(request_id: str, error: OSError) -> Fault:
    text = f"RequestId: {request_id} Error: fork/exec /var/task/bootstrap: {error.strerror.lower()}"
    return Fault(_answer("Runtime.InvalidEntrypoint", text), text)


def init_failed(payload: bytes) -> Fault:
    """The runtime reported to /init/error; its own words reach the caller."""
    return Fault(Answer(payload, is_error=True), f"init error: {payload.decode(errors='replace')}")


def _exit_text(status: int) -> str:
    if status == 0:
        return "Runtime exited without providing a reason"
    if status < 0:
        return f"Runtime exited with error: signal: {signal.strsignal(-status).lower()}"
    return f"Runtime exited with error: exit status {status}"


def _answer(kind: str, message: str) -> Answer:
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), is_error=True)
