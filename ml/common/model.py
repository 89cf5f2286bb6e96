"""A trained model as it is kept: the estimator, what it was made of, and how to read it.

Belongs here: predicting, explaining, intervals. Does not belong here: choosing or judging
(``training``), files (``artefact``), tables (``ml.registry``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ml.common import fingerprint
from ml.common.errors import ArtefactError
from ml.common.spec import AS_OF, ENTITY, TENANT, ModelSpec
from ml.common.tasks import task_of
from ml.common.tasks.score import points_of, total

REASONS = 3


@dataclass(frozen=True)
class TrainedModel:
    """All that prediction needs; this object is the artefact.

    fingerprint: of data window, code, features and seed. typical: the value that stands for each
    feature when its contribution is measured. spread: how far labels lay apart. reference: up to
    2,000 training rows for drift. A rule has neither estimator nor any of these.
    """

    fingerprint: str
    components: dict[str, str]
    algorithm: str
    estimator: Any = None
    typical: dict[str, Any] = field(default_factory=dict)
    calibration: list[dict[str, float]] = field(default_factory=list)
    spread: float = 1.0
    reference: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)


@threadpool_limits.wrap(limits=1)
def predict(spec: ModelSpec, model: TrainedModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Score rows (keys and features).

    Gives one row per entity: keys, ``predicted_value``, ``confidence_low``/``_high`` (of the observed
    rate, or of single outcomes, among validation rows predicted alike, 90 %; a rule's score is its
    own), ``risk_band``, ``reasons`` and ``feature_fingerprint``. Raises ``ArtefactError`` when
    it was trained on other features.
    """
    if model.components["features"] != fingerprint.of_spec(spec):
        raise ArtefactError(
            f"The active {spec.name} model was trained on other features than the ones declared "
            "today. Train again (tallyhouse train) before predicting."
        )
    columns = list(spec.feature_names)
    features = rows[columns].reset_index(drop=True)
    result = rows[[ENTITY, TENANT, AS_OF]].reset_index(drop=True).copy()
    if features.empty:
        return result
    if spec.learns:
        task = task_of(spec)
        values = task.values(model.estimator, features)
        low, high = task.interval(model.calibration, values)
        reasons = _reasons(spec, model, features, values)
    else:
        points = points_of(spec, features)
        values = low = high = total(spec, points)
        reasons = _chosen(spec, features, points.to_numpy(), 0.5, _points_in_words)
    result["predicted_value"] = np.round(values, 6)
    result["confidence_low"] = np.round(low, 6)
    result["confidence_high"] = np.round(high, 6)
    result["risk_band"] = [spec.band(value) for value in values]
    result["reasons"] = reasons
    result["feature_fingerprint"] = [
        fingerprint.of_row(record) for record in features.to_dict(orient="records")
    ]
    return result


def typical_values(spec: ModelSpec, labelled: pd.DataFrame) -> dict[str, Any]:
    """Median of numbers, most common of categories; None where a column is empty."""
    found: dict[str, Any] = {}
    for name in spec.numbers:
        known = labelled[name].dropna()
        found[name] = float(known.median()) if len(known) else None
    for name in spec.categories:
        counts = labelled[name].value_counts().sort_index(kind="stable")
        found[name] = counts.idxmax() if len(counts) else None
    return found


def _reasons(
    spec: ModelSpec, model: TrainedModel, features: pd.DataFrame, values: np.ndarray
) -> list[list[dict[str, Any]]]:
    """The features whose replacement by the typical value moves the prediction most."""
    task = task_of(spec)
    moved = np.zeros((len(features), len(spec.features)))
    for position, feature in enumerate(spec.features):
        other = features.copy()
        other[feature.name] = task.neutral(feature, features, model.typical[feature.name])
        moved[:, position] = values - task.values(model.estimator, other)
    least = task.least_reason * model.spread
    return _chosen(spec, features, moved, least, lambda moves: task.in_words(spec, moves))


def _chosen(
    spec: ModelSpec,
    features: pd.DataFrame,
    moved: np.ndarray,
    least: float,
    in_words: Callable[[float], str],
) -> list[list[dict[str, Any]]]:
    """Per row the features that moved it most, and by ``least`` at least."""
    order = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :REASONS]
    return [
        [
            _reason(spec, features, row, int(position), float(moved[row, position]), in_words)
            for position in order[row]
            if abs(moved[row, position]) >= least
        ]
        for row in range(len(features))
    ]


def _reason(
    spec: ModelSpec,
    features: pd.DataFrame,
    row: int,
    position: int,
    contribution: float,
    in_words: Callable[[float], str],
) -> dict[str, Any]:
    feature = spec.features[position]
    value = features[feature.name].iloc[row]
    unknown = pd.isna(value)
    is_number = feature.kind == "number" and not unknown
    shown = "unknown" if unknown else _legible(float(value)) if is_number else str(value)
    return {
        "feature": feature.name,
        "value": None if unknown else float(value) if is_number else str(value),
        "contribution": round(contribution, 4),
        "words": f"{feature.words.format(value=shown)} ({in_words(contribution)})",
    }


def _points_in_words(points: float) -> str:
    return f"{'adds' if points > 0 else 'takes'} {abs(points):g} points"


def _legible(value: float) -> str:
    """Whole numbers as they are, shares with two decimals, the rest with one."""
    if value == round(value):
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}"
