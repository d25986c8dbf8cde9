"""The end of LocalStack, for good.

Owns the last word. A request that is under way while LocalStack stops its services loads and starts what it needs anew: DynamoDB Local,
or threads that keep Python from ending, for minutes at times.
"""

import os
import threading

from . import groups

GRACE = 2.0  # seconds for LocalStack to remove its files and end by itself


def end() -> None:
    """Called when LocalStack's own shutdown is over."""
    groups.kill_all()
    last_word = threading.Timer(GRACE, _exit)
    last_word.daemon = True
    last_word.start()


def _exit() -> None:
    groups.kill_all()
    os._exit(0)
