"""What depends on a model's task: one module per task, and the choice between them.

A task that learns knows its labels, estimators, baselines, figures, intervals and words; the order in
which they are asked for is the same for all (``ml.common.training``). A score has only its rule.
"""

from __future__ import annotations

from ml.common.spec import ModelSpec
from ml.common.tasks.binary import Binary
from ml.common.tasks.forecast import Forecast
from ml.common.tasks.regression import Regression
from ml.common.tasks.task import Task

LEARNING: dict[str, Task] = {
    "binary": Binary(),
    "regression": Regression(),
    "forecast": Forecast(),
}


def task_of(spec: ModelSpec) -> Task:
    """The task of a model that learns."""
    return LEARNING[spec.task]
