"""Models that learn from ``features`` and write predictions back. Knows nothing of Dagster.

``common`` holds the pure cores, one folder per model holds its description, ``store`` the SQL and
``run`` the order of things. The libraries that learn are imported when they are first needed, so
that ``ml.schema`` stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml.run import ModelReport, TrainReport, train_and_predict

__all__ = ["ModelReport", "TrainReport", "train_and_predict"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from ml import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
