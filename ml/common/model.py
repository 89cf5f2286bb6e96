"""A trained model as it is kept: the estimator, what it was made of, and how to read it.

Belongs here: predicting, explaining, intervals, drift. Does not belong here: choosing or judging
(``training``), files (``artefact``), tables (``ml.registry``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ml.common import fingerprint, scores
from ml.common.errors import ArtefactError
from ml.common.estimators import probabilities
from ml.common.spec import AS_OF, ENTITY, TENANT, ModelSpec

REASONS = 3
LEAST_CONTRIBUTION = 0.005
DRIFT_BINS = 10


@dataclass(frozen=True)
class TrainedModel:
    """All that prediction needs; this object is the artefact.

    fingerprint: of data window, code, features and seed. typical: the value that stands for each
    feature when its contribution is measured. reference: up to 2,000 training rows for drift.
    """

    fingerprint: str
    components: dict[str, str]
    algorithm: str
    estimator: Pipeline
    typical: dict[str, Any]
    calibration: list[dict[str, float]]
    reference: pd.DataFrame = field(repr=False)


@threadpool_limits.wrap(limits=1)
def predict(spec: ModelSpec, model: TrainedModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Score rows (keys and features).

    Gives one row per entity: keys, ``predicted_value``, ``confidence_low``/``_high`` (the 90 %
    interval of the observed rate among validation rows scored alike), ``risk_band``, ``reasons``
    and ``feature_fingerprint``. Raises ``ArtefactError`` when it was trained on other features.
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
    values = probabilities(model.estimator, features)
    low, high = _interval(model, values)
    result["predicted_value"] = np.round(values, 6)
    result["confidence_low"] = np.round(low, 6)
    result["confidence_high"] = np.round(high, 6)
    result["risk_band"] = [spec.band(value) for value in values]
    result["reasons"] = _reasons(spec, model, features, values)
    result["feature_fingerprint"] = [
        fingerprint.of_row(record) for record in features.to_dict(orient="records")
    ]
    return result


def drift(spec: ModelSpec, model: TrainedModel, rows: pd.DataFrame) -> dict[str, float]:
    """Population stability index of each numeric feature against the training rows."""
    found = {}
    for name in spec.numbers:
        reference = model.reference[name].to_numpy(dtype=float)
        known = reference[~np.isnan(reference)]
        if len(known) == 0 or rows.empty:
            continue
        inner = np.unique(np.quantile(known, np.linspace(0, 1, DRIFT_BINS + 1)[1:-1]))
        edges = np.concatenate([[-np.inf], inner, [np.inf]])
        current = rows[name].to_numpy(dtype=float)
        found[name] = round(scores.population_stability(reference, current, edges), 4)
    return found


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


def _interval(model: TrainedModel, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = np.array([row["from"] for row in model.calibration])
    place = np.clip(np.searchsorted(starts, values, side="right") - 1, 0, None)
    low = np.array([row["low"] for row in model.calibration])[place]
    high = np.array([row["high"] for row in model.calibration])[place]
    return np.minimum(low, values), np.maximum(high, values)


def _reasons(
    spec: ModelSpec, model: TrainedModel, features: pd.DataFrame, values: np.ndarray
) -> list[list[dict[str, Any]]]:
    """The features whose replacement by the typical value moves the prediction most."""
    moved = np.zeros((len(features), len(spec.features)))
    for position, feature in enumerate(spec.features):
        other = features.copy()
        typical = model.typical[feature.name]
        if feature.kind == "number":
            other[feature.name] = np.nan if typical is None else typical
        else:
            other[feature.name] = pd.Series([typical] * len(other), dtype=object)
        moved[:, position] = values - probabilities(model.estimator, other)
    order = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :REASONS]
    return [
        [
            _reason(spec, features, row, int(position), float(moved[row, position]))
            for position in order[row]
            if abs(moved[row, position]) >= LEAST_CONTRIBUTION
        ]
        for row in range(len(features))
    ]


def _reason(
    spec: ModelSpec, features: pd.DataFrame, row: int, position: int, contribution: float
) -> dict[str, Any]:
    feature = spec.features[position]
    value = features[feature.name].iloc[row]
    unknown = pd.isna(value)
    is_number = feature.kind == "number" and not unknown
    shown = "unknown" if unknown else _legible(float(value)) if is_number else str(value)
    points = round(abs(contribution) * 100)
    direction = "raises" if contribution > 0 else "lowers"
    return {
        "feature": feature.name,
        "value": None if unknown else float(value) if is_number else str(value),
        "contribution": round(contribution, 4),
        "words": f"{feature.words.format(value=shown)} ({direction} the chance by "
        f"{points if points else 'under 1'} point{'' if points == 1 else 's'})",
    }


def _legible(value: float) -> str:
    """Whole numbers as they are, shares with two decimals, the rest with one."""
    if value == round(value):
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}"
