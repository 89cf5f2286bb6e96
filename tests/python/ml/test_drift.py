"""Rule 84: how far the rows scored have moved from the rows learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.common.drift import Drift, drift, population_stability, stability_by_chance
from ml.common.training import Training, train
from tests.python.ml.made_up import NOW, SPEC, frame


@pytest.fixture(scope="module")
def trained() -> Training:
    return train(SPEC, frame(), NOW)


def of(trained: Training, rows: pd.DataFrame) -> dict[str, Drift]:
    return {one.feature: one for one in drift(SPEC, trained.model, rows)}


def newest() -> pd.DataFrame:
    data = frame()
    return data[data["as_of_at"] == data["as_of_at"].max()]


def test_the_index_of_halves_that_became_nine_tenths_and_one() -> None:
    """By hand, half a row added to each: shares 50.5/101 twice, then 90.5/101 and 10.5/101."""
    halves, tenths = np.array([50, 50]), np.array([90, 10])
    by_hand = 0.396040 * 0.583372 + 0.396040 * 1.570692
    assert population_stability(halves, tenths) == pytest.approx(by_hand, abs=1e-4)
    assert population_stability(tenths, halves) == pytest.approx(by_hand, abs=1e-4)
    assert population_stability(halves, halves * 3) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("scored", [40, 400])
def test_chance_alone_stays_below_its_bound_in_95_of_100_samples(scored: int) -> None:
    rng = np.random.default_rng(4)
    shares = np.full(10, 0.1)
    pairs = [(rng.multinomial(2000, shares), rng.multinomial(scored, shares)) for _ in range(2000)]
    below = np.mean([population_stability(*pair) <= stability_by_chance(*pair) for pair in pairs])
    assert 0.93 <= below <= 0.98, "half a row in each bin makes few rows look more alike"


def test_nothing_has_moved_among_rows_like_those_learned_from(trained: Training) -> None:
    found = of(trained, newest())
    assert list(found) == list(SPEC.feature_names)
    assert not any(one.has_moved for one in found.values())
    assert {(one.rows, one.reference_rows) for one in found.values()} == {(250, 2000)}


@pytest.mark.parametrize(
    ("feature", "value"),
    [("idle_days", 60.0), ("mood", np.nan), ("plan", "annual"), ("plan", "weekly"), ("plan", None)],
)
def test_a_feature_that_moved_is_named_and_no_other(
    trained: Training, feature: str, value: object
) -> None:
    found = of(trained, newest().assign(**{feature: value}))
    assert [name for name, one in found.items() if one.has_moved] == [feature]


def test_a_handful_of_rows_is_no_evidence(trained: Training) -> None:
    few = of(trained, newest().head(5).assign(idle_days=60.0))["idle_days"]
    assert few.psi > 0.25
    assert not few.has_moved


def test_nothing_scored_is_nothing_measured(trained: Training) -> None:
    assert drift(SPEC, trained.model, newest().head(0)) == []
