"""The description of a model: which entity, which features, which outcome, which thresholds.

Belongs here: plain data that a model folder fills in. Does not belong here: anything that computes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

ENTITY = "entity_id"
TENANT = "tenant_id"
AS_OF = "as_of_at"
LABEL = "label"
KNOWN = "label_known_at"
KEYS = (ENTITY, TENANT, AS_OF)


@dataclass(frozen=True)
class Feature:
    """One input column.

    words: how the value reads in a reason, with ``{value}`` where the number goes.
    may_dominate: why this column may tell nearly everything alone and still be known at as-of
    time. Empty: a column that does is taken for a leak from the future.
    """

    name: str
    words: str
    kind: Literal["number", "category"] = "number"
    may_dominate: str = ""


@dataclass(frozen=True)
class Band:
    """Predictions below ``below`` (and not in an earlier band) carry this name."""

    name: str
    below: float


@dataclass(frozen=True)
class Season:
    """After how long a series repeats itself: days (7, 364), or calendar months (12)."""

    days: int = 0
    months: int = 0


@dataclass(frozen=True)
class Scorecard:
    """A rule: ``base`` and the points that each feature adds or takes, cut to [low, high].

    points: a function of a module (no lambda) from the features to a frame of points, one column
    per feature that has any, by the feature's name; missing points are none.
    """

    points: Callable[[pd.DataFrame], pd.DataFrame]
    base: float = 100.0
    low: float = 0.0
    high: float = 100.0


@dataclass(frozen=True)
class ModelSpec:
    """All that tells one model from another.

    task: binary (a chance), regression (an amount), forecast (the next value of a series, entity by
    entity; needs ``season``) or score (a rule, nothing is trained; needs ``scorecard``).
    features_table, outcomes_table: ``schema.table``, both keyed by tenant, entity and as-of time. A
    score may have no outcomes.
    scores_newest_only: whether predictions are made for the newest as-of time of the table alone
    (a weekly model) or for every entity whose outcome is still to come.
    grace_hours: how long after the deciding moment an outcome is held to be known.
    unit: what a predicted amount is counted in. bands: none for amounts that are no risk.
    min_*_events: of the rarer outcome of a binary task.
    """

    name: str
    version: str
    question: str
    entity: str
    prediction_type: str
    features_table: str
    outcomes_table: str
    features: tuple[Feature, ...]
    bands: tuple[Band, ...]
    scores_newest_only: bool
    task: Literal["binary", "regression", "forecast", "score"] = "binary"
    unit: str = ""
    season: Season | None = None
    scorecard: Scorecard | None = None
    grace_hours: int = 0
    seed: int = 20260101
    min_training_rows: int = 200
    min_training_events: int = 20
    min_holdout_rows: int = 60
    min_holdout_events: int = 5

    def __post_init__(self) -> None:
        if self.task == "forecast" and self.season is None:
            raise ValueError(f"{self.name} is a forecast and needs a season to be held against")
        if self.task == "score" and self.scorecard is None:
            raise ValueError(f"{self.name} is a score and needs the scorecard it is counted by")
        if self.learns and not self.outcomes_table:
            raise ValueError(f"{self.name} learns and needs the table of its outcomes")

    @property
    def learns(self) -> bool:
        return self.task != "score"

    @property
    def entity_column(self) -> str:
        return f"{self.entity}_id"

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @property
    def numbers(self) -> list[str]:
        return [feature.name for feature in self.features if feature.kind == "number"]

    @property
    def categories(self) -> list[str]:
        return [feature.name for feature in self.features if feature.kind == "category"]

    def band(self, value: float) -> str | None:
        """The name of the band a prediction falls into; None when there are no bands."""
        for band in self.bands:
            if value < band.below:
                return band.name
        return self.bands[-1].name if self.bands else None
