"""Forecast: the next value of a series, for many series at once. Labels are numbers.

Every estimator learns by how much a value differs from the one a season earlier, in units of the
series' own level, so that small and large series teach each other. The baseline is the seasonal
naive forecast, and the mean absolute error judges. A horizon is part of the entity or of the
description: one row is one value to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin

from ml.common import scores
from ml.common.errors import LeakageError
from ml.common.estimators import Candidate, Recipe
from ml.common.history import FEATURES, LEVEL, NEWEST, RECENT, SEASONAL, look_back
from ml.common.spec import LABEL, Feature, ModelSpec
from ml.common.splits import Fold
from ml.common.tasks.regression import Regression
from ml.common.tasks.task import Figures

_CHANGES = (SEASONAL, NEWEST, RECENT)


class OnSeasonalNaive(RegressorMixin, BaseEstimator):
    """Wraps an estimator of the relative difference from the value a season earlier.

    relative: further columns that are in the label's unit, as the wrapped estimator shall see them.
    """

    def __init__(self, estimator: Any, relative: tuple[str, ...] = ()) -> None:
        self.estimator = estimator
        self.relative = relative

    def fit(self, features: pd.DataFrame, labels: np.ndarray) -> OnSeasonalNaive:
        """Learn from labels in their own unit."""
        difference = (labels - features[SEASONAL].to_numpy()) / features[LEVEL].to_numpy()
        self.estimator_ = self.estimator.fit(self._seen(features), difference)
        return self

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Values in the label's unit."""
        difference = self.estimator_.predict(self._seen(features))
        return features[SEASONAL].to_numpy() + difference * features[LEVEL].to_numpy()

    def _seen(self, features: pd.DataFrame) -> pd.DataFrame:
        scaled = {name: features[name] / features[LEVEL] for name in (*_CHANGES, *self.relative)}
        return features.drop(columns=LEVEL).assign(**scaled)


class Forecast(Regression):
    figures = ("rows", "mae", "rmse", "bias", "r2")
    headline = (("MAE", "mae"), ("RMSE", "rmse"))
    choosing = judging = "mae"
    strength = "share of what history leaves open"
    alone = "share"
    perfect = 0.90
    strong = 0.60

    def prepare(self, spec: ModelSpec, frame: pd.DataFrame) -> tuple[ModelSpec, pd.DataFrame]:
        taken = {f.name for f in FEATURES} & {f.name for f in self.declared(spec)}
        if taken:
            raise LeakageError(
                f"{', '.join(sorted(taken))} of {spec.features_table} is a name that every forecast "
                "uses for what it finds in the series itself. Give the column another name."
            )
        return replace(spec, features=(*self.declared(spec), *FEATURES)), look_back(spec, frame)

    def declared(self, spec: ModelSpec) -> Sequence[Feature]:
        return tuple(feature for feature in spec.features if feature not in FEATURES)

    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(
            replace(candidate, build=_wrapped(candidate.build))
            for candidate in super().candidates()
        )

    def score(self, outcomes: np.ndarray, values: np.ndarray) -> Figures:
        return scores.of_amounts(outcomes, values)

    def baselines(
        self, spec: ModelSpec, train: pd.DataFrame, test: pd.DataFrame
    ) -> dict[str, Figures]:
        outcomes = test[LABEL].to_numpy()
        return {"seasonal_naive": self.score(outcomes, test[SEASONAL].to_numpy())}

    def figures_in_words(self, holdout: Figures, baselines: dict[str, Figures]) -> str:
        naive = baselines["seasonal_naive"]
        return (
            f"MAE {holdout['mae']:.4g} against {naive['mae']:.4g} (the value a season earlier), "
            f"mean error {holdout['bias']:+.3g}"
        )

    def baselines_in_words(self, baselines: dict[str, Figures]) -> str:
        return "Seasonal naive: the newest known value that lies whole seasons before."

    # --- leakage: what a column tells beyond the series' own past -----------------------------------
    def power_alone(
        self, spec: ModelSpec, feature: Feature, labelled: pd.DataFrame, folds: tuple[Fold, ...]
    ) -> float:
        own = replace(spec, features=(feature, *FEATURES))
        relative = (feature.name,) if feature.kind == "number" else ()
        linear, trees = super().candidates()[1].build, self.tree
        return max(
            self._beyond(own, _wrapped(recipe, relative), labelled, folds)
            for recipe in (linear, trees)
        )

    def power_of_all(
        self, spec: ModelSpec, labelled: pd.DataFrame, folds: tuple[Fold, ...]
    ) -> float:
        return max(
            self._beyond(spec, self.candidates()[place].build, labelled, folds) for place in (1, 2)
        )

    def _beyond(
        self, spec: ModelSpec, recipe: Recipe, labelled: pd.DataFrame, folds: tuple[Fold, ...]
    ) -> float:
        """The share of the squared error of history alone that a recipe takes away."""
        past = replace(spec, features=FEATURES)
        level = np.concatenate([labelled[LEVEL].to_numpy()[fold.test] for fold in folds])
        outcomes, alone = self.pooled(past, super().candidates()[1].build, labelled, folds)
        _, values = self.pooled(spec, recipe, labelled, folds)
        error = np.mean(((outcomes - values) / level) ** 2)
        before = np.mean(((outcomes - alone) / level) ** 2)
        return float(max(0.0, 1 - error / before)) if before else 0.0

    def neutral(self, feature: Feature, features: pd.DataFrame, typical: Any) -> pd.Series:
        """Of the series' own past: no change, and the value a season earlier at its average."""
        if feature.name == SEASONAL:
            return features[LEVEL]
        if feature.name in (NEWEST, RECENT):
            return pd.Series(0.0, index=features.index)
        return (
            features[LEVEL]
            if feature.name == LEVEL
            else super().neutral(feature, features, typical)
        )


def _wrapped(recipe: Recipe, relative: tuple[str, ...] = ()) -> Recipe:
    def build(spec: ModelSpec) -> OnSeasonalNaive:
        seen = tuple(feature for feature in spec.features if feature.name != LEVEL)
        return OnSeasonalNaive(recipe(replace(spec, features=seen)), relative)

    return build
