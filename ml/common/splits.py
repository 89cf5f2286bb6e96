"""Splits that go forward in time.

A fold is trained only on rows whose outcome was known before the fold begins (an embargo as long
as the label window), and scored on rows inside it. The newest fold is the held-out one.
Does not belong here: fitting or scoring.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import pandas as pd

from ml.common.errors import TooFewData
from ml.common.spec import AS_OF, KNOWN, LABEL, ModelSpec

VALIDATION_FROM = 0.5
HOLDOUT_FROM = 0.8
VALIDATION_FOLDS = 3


@dataclass(frozen=True)
class Fold:
    """Row positions to train on and to score, and the instant that parts them."""

    starts_at: pd.Timestamp
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Splits:
    """Validation folds for choosing, one held-out fold for judging."""

    validation: tuple[Fold, ...]
    holdout: Fold


class Judge(Protocol):
    """What a split asks about labels; a task answers."""

    def can_learn_from(self, labels: pd.Series) -> bool: ...

    def shortage(self, labels: pd.Series, least_rows: int, least_events: int) -> str | None: ...


def forward(spec: ModelSpec, judge: Judge, labelled: pd.DataFrame) -> Splits:
    """Cut labelled rows by time. Raises ``TooFewData`` with the reason when that cannot be done."""
    times = labelled[AS_OF].sort_values(kind="stable").reset_index(drop=True)
    if times.empty:
        raise TooFewData("no outcome is known yet")
    shares = np.linspace(VALIDATION_FROM, HOLDOUT_FROM, VALIDATION_FOLDS + 1)
    edges = [times.iloc[min(int(len(times) * share), len(times) - 1)] for share in shares]
    holdout = _fold(labelled, edges[-1], None)
    _require(spec, judge, labelled, holdout)
    validation = []
    for start, end in pairwise(edges):
        fold = _fold(labelled, start, end)
        if all(
            judge.can_learn_from(labelled[LABEL].iloc[rows]) for rows in (fold.train, fold.test)
        ):
            validation.append(fold)
    if not validation:
        raise TooFewData(
            "no earlier stretch of time shows more than one outcome, so nothing can be chosen"
        )
    return Splits(tuple(validation), holdout)


def _fold(labelled: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp | None) -> Fold:
    inside = labelled[AS_OF] >= start
    if end is not None:
        inside &= labelled[AS_OF] < end
    before = labelled[KNOWN] <= start
    return Fold(start, np.flatnonzero(before), np.flatnonzero(inside))


def _require(spec: ModelSpec, judge: Judge, labelled: pd.DataFrame, holdout: Fold) -> None:
    needs = (
        ("to train on", holdout.train, spec.min_training_rows, spec.min_training_events),
        ("held out", holdout.test, spec.min_holdout_rows, spec.min_holdout_events),
    )
    for words, rows, least_rows, least_events in needs:
        missing = judge.shortage(labelled[LABEL].iloc[rows], least_rows, least_events)
        if missing:
            raise TooFewData(f"{len(rows)} rows {words} {missing}")
