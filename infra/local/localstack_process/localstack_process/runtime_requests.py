"""The HTTP side of the Lambda Runtime API: paths, headers and bodies (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

Owns the protocol; what a request means is RuntimeApi's.
"""

from http.server import BaseHTTPRequestHandler

from . import faults
from .faults import Answer

PREFIX = "/2018-06-01/runtime"
RESPONSE_LIMIT = 6 * 1024 * 1024 + 100  # what AWS takes as the answer of a synchronous invocation


class TooLarge(Exception):
    pass


class RuntimeRequest(BaseHTTPRequestHandler):
    """One connection of a bootstrap process."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes: Nagle and the peer's delayed ACK would cost 40 ms

    def __init__(self, api, *args):
        self._api = api
        super().__init__(*args)

    def do_GET(self):
        if self.path != f"{PREFIX}/invocation/next":
            return self._reply(404)
        invocation = self._api.next()
        if invocation is None:
            self.close_connection = True
            return None
        return self._reply(200, invocation.payload, {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        })

    def do_POST(self):
        match self.path.removeprefix(PREFIX).strip("/").split("/"):
            case ["init", "error"]:
                self._api.fail_init(self._body())
                self._reply(202)
            case ["invocation", request_id, "response"]:
                self._answer(request_id, is_error=False)
            case ["invocation", request_id, "error"]:
                self._answer(request_id, is_error=True)
            case _:
                self._reply(404)

    def _answer(self, request_id: str, is_error: bool) -> None:
        try:
            answer, status = Answer(self._body(), is_error), 202
        except TooLarge as error:
            answer, status = faults.too_large(error.args[0], RESPONSE_LIMIT).answer, 413
            self.close_connection = True
        known = self._api.answer(request_id, answer)
        self._reply(status if known else 400)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        return self._exactly(int(self.headers.get("Content-Length", 0)), 0)

    def _chunks(self) -> bytes:
        """A body whose length its writer did not know (aws-lambda-go answers so)."""
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self._exactly(size, len(body))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return bytes(body)

    def _exactly(self, size: int, before: int) -> bytes:
        if before + size > RESPONSE_LIMIT:
            raise TooLarge(before + size)
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the function closed its connection within an answer")
        return data

    def _reply(self, status: int, body: bytes = b'{"status":"OK"}', headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Nothing: LocalStack's log is not the place for a function's heartbeat."""
