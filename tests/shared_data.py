"""Real data that nobody here made up: it lies beside the project, in `../shared/data`, or nowhere.

Belongs here: where it lies, and the sentence a test is skipped with where it does not. Does not
belong here: what a data set says.
"""

import os
from pathlib import Path

import pytest

from tallyhouse.settings import PROJECT_ROOT

SHARED_DATA = Path(
    os.environ.get("TALLYHOUSE_SHARED_DATA") or PROJECT_ROOT.parent / "shared" / "data"
)


def shared(place: str) -> Path:
    """A file or folder of the real data; without it the test that asks is skipped, and says so."""
    path = SHARED_DATA / place
    if not path.exists():
        pytest.skip(f"REAL DATA IS NOT THERE, nothing is compared with it: {path}")
    return path
