"""How often CloudFormation looks whether a resource is ready.

Owns that interval: LocalStack sleeps 5 s after the second look, one resource after the other, and a function is ready in milliseconds.
"""

import functools

INTERVAL = 0.1  # seconds


def often(deploy_loop):
    """Gives LocalStack's loop over one resource a shorter sleep."""
    return functools.partialmethod(deploy_loop, sleep_time=INTERVAL)
