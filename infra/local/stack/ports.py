"""Free ports of the loopback interface."""

import random
import socket
import time

# Below what kernels take for the near end of outgoing connections (32768 and up on Linux): a port from there can be
# taken between the look and the bind, and again whenever its server is started anew.
CHOICE = range(20_000, 32_000)


def free(preferred: int | None = None) -> int:
    """The preferred port when nobody has it, else any free one."""
    if preferred and is_free(preferred):
        return preferred
    return next(port for port in random.sample(CHOICE, len(CHOICE)) if is_free(port))


def regain(port: int, limit: float = 5.0) -> None:
    """Waits for a port that a process of ours had: threads of one that was killed may hold it a moment longer."""
    deadline = time.monotonic() + limit
    while not is_free(port) and time.monotonic() < deadline:
        time.sleep(0.05)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
