"""What a task has to answer, and the answers that most of them share.

Belongs here: the questions. Does not belong here: the order in which they are asked (``training``,
``leakage``, ``splits``, ``model``, ``card``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ml.common.estimators import Candidate, Recipe
from ml.common.spec import LABEL, Feature, ModelSpec
from ml.common.splits import Fold

Calibration = list[dict[str, float]]
Figures = dict[str, Any]


class Task(ABC):
    """One kind of question that a model answers.

    figures: of a set of guesses, in the order of the model card. choosing: the figure that decides
    between candidates on the validation folds; judging: the one by which every baseline has to be
    beaten on the held-out fold; of both the least is best. strength: how the figure is called that
    says how much one column tells (alone: in metrics); perfect, strong, collapse: where it makes a column suspect.
    least_reason: the share of the spread that a reason has to move a prediction by.
    """

    figures: ClassVar[tuple[str, ...]]
    headline: ClassVar[tuple[tuple[str, str], ...]]
    choosing: ClassVar[str]
    judging: ClassVar[str]
    strength: ClassVar[str]
    alone: ClassVar[str]
    perfect: ClassVar[float] = 0.98
    strong: ClassVar[float] = 0.85
    collapse: ClassVar[float] = 0.10
    calibration_heads: ClassVar[tuple[str, ...]]
    least_reason: ClassVar[float]

    def prepare(self, spec: ModelSpec, frame: pd.DataFrame) -> tuple[ModelSpec, pd.DataFrame]:
        """What is added to a description and its rows before anything else happens."""
        return spec, frame

    def declared(self, spec: ModelSpec) -> Sequence[Feature]:
        """The features that the description's author vouches for."""
        return spec.features

    # --- labels ---------------------------------------------------------------------------------
    @abstractmethod
    def labels(self, spec: ModelSpec, labels: pd.Series) -> pd.Series:
        """Known labels in the type they are learned in. Raises ``LabelError`` for impossible ones."""

    @abstractmethod
    def can_learn_from(self, labels: pd.Series) -> bool:
        """Whether these labels show more than one outcome."""

    @abstractmethod
    def shortage(self, labels: pd.Series, least_rows: int, least_events: int) -> str | None:
        """What is missing in a set of labels, given how many there have to be; None when nothing."""

    # --- learning -------------------------------------------------------------------------------
    @abstractmethod
    def candidates(self) -> tuple[Candidate, ...]:
        """The recipes that compete, simplest first. Ties go to the earlier one."""

    @abstractmethod
    def values(self, model: Pipeline, features: pd.DataFrame) -> np.ndarray:
        """The predicted value of each row."""

    @abstractmethod
    def score(self, outcomes: np.ndarray, values: np.ndarray) -> Figures:
        """How well values agree with what happened; unknown figures are None."""

    @abstractmethod
    def baselines(
        self, spec: ModelSpec, train: pd.DataFrame, test: pd.DataFrame
    ) -> dict[str, Figures]:
        """Figures on ``test`` of what has to be beaten, learned from ``train``, with its own facts."""

    @abstractmethod
    def figures_in_words(self, holdout: Figures, baselines: dict[str, Figures]) -> str:
        """The figures of a verdict, beside those of the baselines."""

    @abstractmethod
    def baselines_in_words(self, baselines: dict[str, Figures]) -> str:
        """What the baselines were, for the model card."""

    # --- leakage --------------------------------------------------------------------------------
    @abstractmethod
    def power(self, outcomes: np.ndarray, values: np.ndarray) -> float:
        """How much values tell about the outcomes: 1 everything, the figure's own least nothing."""

    @abstractmethod
    def tree(self, spec: ModelSpec) -> Pipeline:
        """A small tree: enough to see what one column tells by itself."""

    def power_alone(
        self, spec: ModelSpec, feature: Feature, labelled: pd.DataFrame, folds: tuple[Fold, ...]
    ) -> float:
        """What one column tells on the validation folds."""
        return self.power(
            *self.pooled(replace(spec, features=(feature,)), self.tree, labelled, folds)
        )

    def power_of_all(
        self, spec: ModelSpec, labelled: pd.DataFrame, folds: tuple[Fold, ...]
    ) -> float:
        """What all columns together tell on the validation folds."""
        return self.power(*self.pooled(spec, self.candidates()[2].build, labelled, folds))

    def pooled(
        self, spec: ModelSpec, recipe: Recipe, labelled: pd.DataFrame, folds: tuple[Fold, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Outcomes and forward predictions of a recipe over all folds."""
        outcomes, values = [], []
        for fold in folds:
            train, test = labelled.iloc[fold.train], labelled.iloc[fold.test]
            outcomes.append(test[LABEL].to_numpy())
            values.append(self.score_rows(spec, self.fit(spec, recipe(spec), train), test))
        return np.concatenate(outcomes), np.concatenate(values)

    def fit(self, spec: ModelSpec, model: Pipeline, rows: pd.DataFrame) -> Pipeline:
        """Fit a fresh estimator on labelled rows."""
        return model.fit(rows[list(spec.feature_names)], rows[LABEL].to_numpy())

    def score_rows(self, spec: ModelSpec, model: Pipeline, rows: pd.DataFrame) -> np.ndarray:
        """The predicted value of each row."""
        return self.values(model, rows[list(spec.feature_names)])

    # --- reading a prediction -------------------------------------------------------------------
    @abstractmethod
    def calibration(self, outcomes: np.ndarray, values: np.ndarray) -> Calibration:
        """Bins of rising prediction: ``rows``, ``from``, ``predicted``, ``observed``, ``low``, ``high``."""

    @abstractmethod
    def interval(self, table: Calibration, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The 90 % interval of each value, from a calibration table."""

    def spread(self, labels: pd.Series) -> float:
        """How far labels lie apart; a chance is measured against 1."""
        return 1.0

    def neutral(self, feature: Feature, features: pd.DataFrame, typical: Any) -> pd.Series:
        """What a column would say if it said nothing: the values a reason compares with."""
        if feature.kind == "number":
            value = np.nan if typical is None else typical
            return pd.Series(np.full(len(features), value), index=features.index)
        return pd.Series([typical] * len(features), index=features.index, dtype=object)

    @abstractmethod
    def in_words(self, spec: ModelSpec, contribution: float) -> str:
        """What a feature does to the prediction."""


def bins_of(table: Calibration, values: np.ndarray) -> np.ndarray:
    """The row of a calibration table that each value belongs to."""
    starts = np.array([row["from"] for row in table])
    return np.clip(np.searchsorted(starts, values, side="right") - 1, 0, None)
