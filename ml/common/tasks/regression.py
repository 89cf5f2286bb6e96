"""Regression: an amount. Labels are numbers.

Baselines: the mean and the best rule of one variable. The root of the mean squared error judges, of
which the mean is the best constant, so that predicted amounts add up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor

from ml.common import scores
from ml.common.errors import LabelError
from ml.common.estimators import (
    BOOSTED,
    Candidate,
    boosted,
    least_leaf,
    linear,
    rule_in_words,
    trees,
)
from ml.common.spec import LABEL, Feature, ModelSpec
from ml.common.splits import Fold
from ml.common.tasks.task import Calibration, Figures, Task, bins_of


class Regression(Task):
    figures = ("rows", "rmse", "mae", "bias", "r2")
    headline = (("R²", "r2"), ("RMSE", "rmse"))
    choosing = judging = "rmse"
    strength = "R²"
    strong = 0.60
    collapse = 0.20
    alone = "r2"
    calibration_heads = (
        "rows", "mean predicted", "mean observed", "90 % from", "90 % to (off the prediction)",
    )  # fmt: skip
    least_reason = 0.01

    def labels(self, spec: ModelSpec, labels: pd.Series) -> pd.Series:
        if not np.isfinite(labels.to_numpy(dtype=float)).all():
            raise LabelError(
                f"{spec.outcomes_table} has an infinite outcome, which {spec.name} cannot learn. "
                "Mend the label where it is computed."
            )
        return labels.astype(float)

    def can_learn_from(self, labels: pd.Series) -> bool:
        return labels.nunique() >= 2

    def shortage(self, labels: pd.Series, least_rows: int, least_events: int) -> str | None:
        if len(labels) < least_rows:
            return f"where {least_rows} are needed"
        return None if self.can_learn_from(labels) else "of one outcome only; they have to differ"

    def candidates(self) -> tuple[Candidate, ...]:
        return (
            *(_ridge(strength) for strength in (100.0, 1.0)),
            *(boosted(*size, HistGradientBoostingRegressor) for size in BOOSTED),
        )

    def values(self, model: Pipeline, features: pd.DataFrame) -> np.ndarray:
        return np.asarray(model.predict(features), dtype=float)

    def score(self, outcomes: np.ndarray, values: np.ndarray) -> Figures:
        return scores.of_amounts(outcomes, values)

    def baselines(
        self, spec: ModelSpec, train: pd.DataFrame, test: pd.DataFrame
    ) -> dict[str, Figures]:
        outcomes, mean = test[LABEL].to_numpy(), float(train[LABEL].mean())
        # The split that leaves the least variance is the one with the least squared error.
        stump = DecisionTreeRegressor(
            max_depth=1, min_samples_leaf=least_leaf(len(train)), random_state=spec.seed
        )
        rule = self.fit(spec, trees(spec, stump), train)
        return {
            "mean": {**self.score(outcomes, np.full(len(test), mean)), "mean": round(mean, 6)},
            "one_variable_rule": {
                **self.score(outcomes, self.score_rows(spec, rule, test)),
                "rule": rule_in_words(rule),
            },
        }

    def figures_in_words(self, holdout: Figures, baselines: dict[str, Figures]) -> str:
        mean, rule = baselines["mean"], baselines["one_variable_rule"]
        return (
            f"RMSE {holdout['rmse']:.4g} against {mean['rmse']:.4g} (mean) and {rule['rmse']:.4g} "
            f"(rule {rule['rule']}), mean error {holdout['bias']:+.3g}"
        )

    def baselines_in_words(self, baselines: dict[str, Figures]) -> str:
        rule, mean = baselines["one_variable_rule"]["rule"], baselines["mean"]["mean"]
        return f"The rule: `{rule}`. The mean: {mean:.6g}."

    def power(self, outcomes: np.ndarray, values: np.ndarray) -> float:
        """R²; 0 when undefined, and where the mean would have done better."""
        return max(0.0, scores.of_amounts(outcomes, values)["r2"] or 0.0)

    def power_alone(
        self, spec: ModelSpec, feature: Feature, labelled: pd.DataFrame, folds: tuple[Fold, ...]
    ) -> float:
        """By the better of a line, which finds the outcome itself, and a tree, which finds steps."""
        own = replace(spec, features=(feature,))
        line = self.candidates()[1].build
        return max(
            self.power(*self.pooled(own, recipe, labelled, folds)) for recipe in (line, self.tree)
        )

    def tree(self, spec: ModelSpec) -> Pipeline:
        return trees(
            spec, DecisionTreeRegressor(max_depth=5, min_samples_leaf=20, random_state=spec.seed)
        )

    def calibration(self, outcomes: np.ndarray, values: np.ndarray) -> Calibration:
        return scores.errors_by_prediction(outcomes, values)

    def interval(self, table: Calibration, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = bins_of(table, values)
        low = values + np.array([row["low"] for row in table])[place]
        high = values + np.array([row["high"] for row in table])[place]
        return np.minimum(low, values), np.maximum(high, values)

    def spread(self, labels: pd.Series) -> float:
        return float(labels.std(ddof=0)) or 1.0

    def in_words(self, spec: ModelSpec, contribution: float) -> str:
        size = abs(contribution)
        amount = f"{size:,.0f}" if size >= 100 else f"{size:.3g}"
        return f"{'raises' if contribution > 0 else 'lowers'} it by {amount} {spec.unit}".rstrip()


def _ridge(strength: float) -> Candidate:
    return linear(
        f"ridge regression (alpha={strength:g})",
        {"alpha": strength},
        lambda: Ridge(alpha=strength),
    )
