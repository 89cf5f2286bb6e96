"""Starts pyarrow without pandas, which it would import with the first array made of Python values.

That takes a second of CPU in each process that loads, and nothing here uses it. Whoever asks pyarrow
for a data frame later gets one: it tries again. Belongs here: only this.
"""

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
    """Let pyarrow look for pandas once, in vain; harmless when it was looked for before."""
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)
