"""The description of a model: which entity, which features, which outcome, which thresholds.

Belongs here: plain data that a model folder fills in. Does not belong here: anything that computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
class ModelSpec:
    """All that tells one model from another.

    features_table, outcomes_table: ``schema.table``, both keyed by tenant, entity and as-of time.
    scores_newest_only: whether predictions are made for the newest as-of time of the table alone
    (a weekly model) or for every entity whose outcome is still to come.
    grace_hours: how long after the deciding moment an outcome is held to be known.
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
    grace_hours: int = 0
    seed: int = 20260101
    min_training_rows: int = 200
    min_training_events: int = 20
    min_holdout_rows: int = 60
    min_holdout_events: int = 5

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

    def band(self, probability: float) -> str:
        """The name of the band a probability falls into."""
        for band in self.bands:
            if probability < band.below:
                return band.name
        return self.bands[-1].name
