"""How long tests wait for what should happen: a limit that ends what hangs, not one that a busy machine meets."""

import time
from collections.abc import Callable

PATIENCE = 3600.0  # seconds


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Ask again and again until it is so; `what` says in the error what did not come about."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.05)
