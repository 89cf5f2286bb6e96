"""Score: a rule that adds points. Nothing is trained, so nothing is judged; outcomes are joined to
the log where there are any.

The rule stands in the model's description (``Scorecard``); its points are the reasons.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.common.spec import ModelSpec, Scorecard


def points_of(spec: ModelSpec, features: pd.DataFrame) -> pd.DataFrame:
    """Points of every feature, 0 where the rule gives none; columns in the order declared.

    Raises ``ValueError`` when the rule gives points to what is no feature.
    """
    given = _card(spec).points(features)
    unknown = sorted(set(given.columns) - set(spec.feature_names))
    if unknown:
        raise ValueError(f"The scorecard of {spec.name} gives points to {unknown[0]}, no feature")
    return given.reindex(columns=list(spec.feature_names)).astype(float).fillna(0.0)


def total(spec: ModelSpec, points: pd.DataFrame) -> np.ndarray:
    """The score: base and points, cut to the scorecard's range."""
    card = _card(spec)
    return np.clip(card.base + points.to_numpy().sum(axis=1), card.low, card.high)


def _card(spec: ModelSpec) -> Scorecard:
    assert spec.scorecard is not None
    return spec.scorecard
