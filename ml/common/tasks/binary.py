"""Binary: the chance that something happens. Labels are 0 or 1.

Baselines: the base rate and the best rule of one variable. The Brier score judges.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

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
from ml.common.spec import LABEL, ModelSpec
from ml.common.tasks.task import Calibration, Figures, Task, bins_of


class Binary(Task):
    figures = ("rows", "positives", "brier", "log_loss", "auc", "average_precision")
    headline = (("AUC", "auc"), ("Brier", "brier"))
    choosing = "log_loss"
    judging = "brier"
    strength = "AUC"
    alone = "auc"
    calibration_heads = ("rows", "mean predicted", "observed", "90 % low", "90 % high")
    least_reason = 0.005

    def labels(self, spec: ModelSpec, labels: pd.Series) -> pd.Series:
        other = sorted(set(labels.unique()) - {0, 1})
        if other:
            raise LabelError(
                f"{spec.outcomes_table} has the outcome {other[0]:g}, but {spec.name} is binary: "
                "outcomes are 0 or 1. Mend the label, or declare the task regression."
            )
        return labels.astype(int)

    def can_learn_from(self, labels: pd.Series) -> bool:
        return labels.nunique() == 2

    def shortage(self, labels: pd.Series, least_rows: int, least_events: int) -> str | None:
        rarer = int(min(labels.sum(), len(labels) - labels.sum())) if len(labels) else 0
        if len(labels) >= least_rows and rarer >= least_events:
            return None
        return f"with {rarer} of the rarer outcome; {least_rows} rows and {least_events} are needed"

    def candidates(self) -> tuple[Candidate, ...]:
        return (
            *(_logistic(strength) for strength in (0.02, 0.3)),
            *(boosted(*size, HistGradientBoostingClassifier) for size in BOOSTED),
        )

    def values(self, model: Pipeline, features: pd.DataFrame) -> np.ndarray:
        return np.asarray(model.predict_proba(features), dtype=float)[:, 1]

    def score(self, outcomes: np.ndarray, values: np.ndarray) -> Figures:
        return scores.of_chances(outcomes, values)

    def baselines(
        self, spec: ModelSpec, train: pd.DataFrame, test: pd.DataFrame
    ) -> dict[str, Figures]:
        outcomes, rate = test[LABEL].to_numpy(), float(train[LABEL].mean())
        # The split with the least Gini impurity is the one with the least Brier score.
        stump = DecisionTreeClassifier(
            max_depth=1, min_samples_leaf=least_leaf(len(train)), random_state=spec.seed
        )
        rule = self.fit(spec, trees(spec, stump), train)
        return {
            "base_rate": {
                **self.score(outcomes, np.full(len(test), rate)),
                "rate": round(rate, 6),
            },
            "one_variable_rule": {
                **self.score(outcomes, self.score_rows(spec, rule, test)),
                "rule": rule_in_words(rule),
            },
        }

    def figures_in_words(self, holdout: Figures, baselines: dict[str, Figures]) -> str:
        base, rule = baselines["base_rate"], baselines["one_variable_rule"]
        return (
            f"Brier {holdout['brier']:.4f} against {base['brier']:.4f} (base rate) and "
            f"{rule['brier']:.4f} (rule {rule['rule']}), AUC {_shown(holdout['auc'])} against "
            f"{_shown(rule['auc'])}"
        )

    def baselines_in_words(self, baselines: dict[str, Figures]) -> str:
        rule, rate = baselines["one_variable_rule"]["rule"], baselines["base_rate"]["rate"]
        return f"The rule: `{rule}`. The base rate: {rate:.4f}."

    def power(self, outcomes: np.ndarray, values: np.ndarray) -> float:
        """The AUC; 0.5 when undefined."""
        if len(np.unique(outcomes)) < 2:
            return 0.5
        return float(roc_auc_score(outcomes, values))

    def tree(self, spec: ModelSpec) -> Pipeline:
        return trees(
            spec,
            DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, random_state=spec.seed),
        )

    def calibration(self, outcomes: np.ndarray, values: np.ndarray) -> Calibration:
        return scores.calibration(outcomes, values)

    def interval(self, table: Calibration, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = bins_of(table, values)
        low = np.array([row["low"] for row in table])[place]
        high = np.array([row["high"] for row in table])[place]
        return np.minimum(low, values), np.maximum(high, values)

    def in_words(self, spec: ModelSpec, contribution: float) -> str:
        points = round(abs(contribution) * 100)
        return (
            f"{'raises' if contribution > 0 else 'lowers'} the chance by "
            f"{points if points else 'under 1'} point{'' if points == 1 else 's'}"
        )


def _logistic(strength: float) -> Candidate:
    return linear(
        f"logistic regression (C={strength})",
        {"C": strength},
        lambda: LogisticRegression(C=strength, max_iter=2000),
    )


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
