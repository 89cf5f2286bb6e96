"""The pieces of the estimators that compete: how features are encoded, how recipes are named.

Belongs here: turning a frame of features into something that fits. Does not belong here: which
estimators a task lets compete (``tasks``) and the choice between them (``training``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ml.common.spec import ModelSpec

BOOSTED = ((4, 60), (12, 80))  # leaves and rounds of the boosted trees that compete

Recipe = Callable[[ModelSpec], Any]


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
    build: Recipe


def linear(name: str, parameters: dict[str, Any], make: Callable[[], BaseEstimator]) -> Candidate:
    """A linear estimator on scaled numbers (missing ones marked) and one column per category."""

    def build(spec: ModelSpec) -> Pipeline:
        numbers = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
        )
        encode = ColumnTransformer(
            [("numbers", numbers, spec.numbers), ("categories", _one_hot(), spec.categories)]
        )
        return make_pipeline(encode, make())

    return Candidate(name, parameters, build)


def boosted(leaves: int, rounds: int, kind: type[BaseEstimator]) -> Candidate:
    """Boosted trees of one size."""
    parameters: dict[str, Any] = {
        "max_leaf_nodes": leaves,
        "max_iter": rounds,
        "learning_rate": 0.06,
        "min_samples_leaf": 25,
        "l2_regularization": 1.0,
    }

    def build(spec: ModelSpec) -> Pipeline:
        return trees(spec, kind(**parameters, early_stopping=False, random_state=spec.seed))

    return Candidate(f"boosted trees ({leaves} leaves)", parameters, build)


def trees(spec: ModelSpec, estimator: BaseEstimator) -> Pipeline:
    """Numbers as they are (trees know what a missing one is), categories one column each."""
    encode = ColumnTransformer(
        [
            ("numbers", EmptyColumnsAsZero(), spec.numbers),
            ("categories", _one_hot(), spec.categories),
        ]
    )
    return make_pipeline(encode, estimator)


def least_leaf(rows: int) -> int:
    """How many rows each side of a rule of thumb has to have."""
    return max(20, rows // 100)


def rule_in_words(stump: Pipeline) -> str:
    """The question that a tree of one split asks."""
    tree = stump[-1].tree_
    if tree.node_count == 1:
        return "no column splits the outcomes"
    name = stump[0].get_feature_names_out()[tree.feature[0]].split("__", 1)[1]
    return f"{name} <= {tree.threshold[0]:.4g}"


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)
