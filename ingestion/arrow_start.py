"""Starts pyarrow as loading needs it: without pandas, with the system's allocator.

pyarrow would import pandas with the first array made of Python values. That takes a second of CPU in
each process that loads, and nothing here uses it; whoever asks for a data frame later gets one. Its
own allocator holds on to more memory: a load's processes peak at 845 MiB instead of 707, and are no
faster. Belongs here: only this.
"""

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)
        return None


def start() -> None:
    """Choose the allocator, unless the environment did, and let pyarrow look for pandas once, in
    vain; harmless when it was looked for before."""
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        pa.set_memory_pool(pa.system_memory_pool())
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)
