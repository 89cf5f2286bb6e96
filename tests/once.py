"""What the workers of one test session share: things made once, and things that live until the last one leaves.

Belongs here: the locks. Does not belong here: what is shared.
"""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path


def made_once(place: Path, make: Callable[[Path], object]) -> Path:
    """A folder or file of the session that the first worker to come makes; others wait for it.

    A worker that is killed on the way leaves a draft, which the next one throws away.
    """
    draft = place.with_name(f".{place.name}")
    with place.with_name(f"{place.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.unlink(missing_ok=True)
            make(draft)
            draft.rename(place)
    return place


class users:
    """How many workers use the server of this home, counted in a file under a lock."""

    def __init__(self, home: Path, change: int) -> None:
        self.change = change
        self.counter = home / "users"
        self.lock = (home / "users.lock").open("a")

    def __enter__(self) -> int:
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        count = int(self.counter.read_text()) if self.counter.exists() else 0
        self.counter.write_text(str(count + self.change))
        return count + self.change

    def __exit__(self, *_: object) -> None:
        self.lock.close()
