"""Progress on stderr, with seconds, and waiting with a deadline."""

import os
import sys
import time

from .failure import Failure

# The clock of the first run counts, also in the runs it starts (inside.py).
_begin = float(os.environ.setdefault("ONENODE_BEGIN", str(time.monotonic())))


def say(text):
    print(f"hack/cluster: {time.monotonic() - _begin:5.1f} s  {text}", file=sys.stderr, flush=True)


def until(what, probe, seconds, remedy="look into the folder 'logs' of the state folder"):
    """Calls probe until it returns something true, and returns that; probe itself may raise a Failure earlier."""
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not so after {seconds} s; {remedy}")
        time.sleep(0.05)
