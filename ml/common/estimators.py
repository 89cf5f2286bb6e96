"""The estimators that compete, simplest first, and the encoding they share.

Belongs here: turning a frame of features into something that fits. The choice between them is made
on validation folds, in ``training``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ml.common.spec import ModelSpec


class EmptyColumnsAsZero(TransformerMixin, BaseEstimator):
    """Columns of which no value was known while fitting become 0; boosted trees cannot bin them."""

    def fit(self, frame: pd.DataFrame, labels: object = None) -> EmptyColumnsAsZero:
        """Remember which columns are empty."""
        self.empty_ = np.isnan(np.asarray(frame, dtype=float)).all(axis=0)
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """The numbers as an array, the empty columns as zeros."""
        values = np.array(frame, dtype=float)
        values[:, self.empty_] = 0.0
        return values

    def get_feature_names_out(self, names: np.ndarray) -> np.ndarray:
        """The columns keep their names."""
        return np.asarray(names, dtype=object)


@dataclass(frozen=True)
class Candidate:
    """A named recipe; ``build`` gives a fresh unfitted estimator."""

    name: str
    parameters: dict[str, Any]
    build: Callable[[ModelSpec], Pipeline]


def candidates() -> tuple[Candidate, ...]:
    """Regularised logistic regressions, then boosted trees. Ties go to the earlier one."""
    found = []
    for strength in (0.02, 0.3):
        found.append(_logistic(strength))
    for leaves, rounds in ((4, 60), (12, 80)):
        found.append(_boosted(leaves, rounds))
    return tuple(found)


def stump(spec: ModelSpec, least: int) -> Pipeline:
    """One variable, one threshold: the rule of thumb every model has to beat.

    The split with the least Gini impurity is the one with the least Brier score.
    """
    tree = DecisionTreeClassifier(max_depth=1, min_samples_leaf=least, random_state=spec.seed)
    return make_pipeline(_passthrough(spec), tree)


def small_tree(spec: ModelSpec) -> Pipeline:
    """A tree of up to eight leaves: enough to see what one column tells by itself."""
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, random_state=spec.seed)
    return make_pipeline(_passthrough(spec), tree)


def probabilities(model: Pipeline, frame: pd.DataFrame) -> np.ndarray:
    """The chance of the positive outcome for each row."""
    return np.asarray(model.predict_proba(frame), dtype=float)[:, 1]


def _logistic(strength: float) -> Candidate:
    def build(spec: ModelSpec) -> Pipeline:
        numbers = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
        )
        encode = ColumnTransformer(
            [("numbers", numbers, spec.numbers), ("categories", _one_hot(), spec.categories)]
        )
        return make_pipeline(encode, LogisticRegression(C=strength, max_iter=2000))

    return Candidate(f"logistic regression (C={strength})", {"C": strength}, build)


def _boosted(leaves: int, rounds: int) -> Candidate:
    parameters: dict[str, Any] = {
        "max_leaf_nodes": leaves,
        "max_iter": rounds,
        "learning_rate": 0.06,
        "min_samples_leaf": 25,
        "l2_regularization": 1.0,
    }

    def build(spec: ModelSpec) -> Pipeline:
        trees = HistGradientBoostingClassifier(
            **parameters, early_stopping=False, random_state=spec.seed
        )
        return make_pipeline(_passthrough(spec), trees)

    return Candidate(f"boosted trees ({leaves} leaves)", parameters, build)


def _passthrough(spec: ModelSpec) -> ColumnTransformer:
    """Numbers as they are (trees know what a missing one is), categories one column each."""
    numbers = EmptyColumnsAsZero()
    return ColumnTransformer(
        [("numbers", numbers, spec.numbers), ("categories", _one_hot(), spec.categories)]
    )


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)
