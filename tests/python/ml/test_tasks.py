"""Rules 80 to 84 for the tasks other than binary: amounts, series, rules. Frames in, verdicts out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.common import card
from ml.common.drift import drift
from ml.common.errors import LabelError, LeakageError, TooFewData
from ml.common.history import LEVEL, NEWEST, RECENT, SEASONAL, look_back
from ml.common.model import predict
from ml.common.spec import Feature, ModelSpec, Season
from ml.common.training import Training, by_rule, labelled_rows, prepare, train
from tests.python.ml.amounts import (
    COSTS,
    DEMAND,
    QUALITY,
    TODAY,
    costs,
    demand,
    points,
)
from tests.python.ml.made_up import NOW, SPEC, START, frame


def learn(spec: ModelSpec, data: pd.DataFrame, now: pd.Timestamp) -> Training:
    return train(*prepare(spec, data), now)


@pytest.fixture(scope="module")
def costly() -> Training:
    return learn(COSTS, costs(), NOW)


@pytest.fixture(scope="module")
def foreseen() -> Training:
    return learn(DEMAND, demand(), TODAY)


# --- regression -----------------------------------------------------------------------------------
def test_rule_83_an_amount_that_can_be_learned_beats_mean_and_rule(costly: Training) -> None:
    holdout, baselines = costly.metrics["holdout"], costly.baselines
    assert costly.promoted
    assert baselines["mean"]["r2"] <= 0
    assert holdout["rmse"] < baselines["one_variable_rule"]["rmse"] < baselines["mean"]["rmse"]
    assert 55 < holdout["rmse"] < 90  # chance alone is 60
    assert baselines["one_variable_rule"]["rule"].startswith("hours <= ")


def test_rule_83_what_no_longer_holds_is_not_promoted_and_says_so() -> None:
    """Hours cost money until the held-out window begins, from when on they save it."""
    data, turned = costs(), costs(signal=-1.0)
    since = labelled_rows(COSTS, data, NOW)["as_of_at"].quantile(0.8)
    data.loc[data["as_of_at"] >= since, "label"] = turned["label"]
    result = learn(COSTS, data, NOW)
    assert not result.promoted
    assert "does not beat its baselines and is not promoted: RMSE" in result.verdict


def test_rule_82_shuffled_amounts_tell_nothing() -> None:
    data = costs()
    known = data["label"].notna()
    data.loc[known, "label"] = (
        np.random.default_rng(0).permutation(data.loc[known, "label"].to_numpy())
    )  # fmt: skip
    assert abs(learn(COSTS, data, NOW).metrics["holdout"]["r2"]) < 0.06


def as_open(values: pd.Series) -> pd.Series:
    """Values with something ordinary where the outcome is still open."""
    known = values.dropna().to_numpy()
    return values.fillna(pd.Series(np.resize(known, len(values)), index=values.index))


@pytest.mark.parametrize(("signal", "chance"), [(1.0, 0.0), (0.2, 20.0)])
def test_rule_82_an_amount_from_the_future_fails_the_leakage_check(
    signal: float, chance: float
) -> None:
    """The outcome itself; and an echo of it where nothing honest tells as much."""
    data = costs(signal=signal)
    echo = data["label"] + chance * np.random.default_rng(5).normal(size=len(data))
    data["noise"] = as_open(echo)
    with pytest.raises(LeakageError, match="noise foretells the outcome too well"):
        learn(COSTS, data, NOW)


def test_an_amount_that_stands_still_where_outcomes_are_open_is_noticed() -> None:
    data = costs()
    data["noise"] = data["label"].fillna(500.0)
    with pytest.raises(LeakageError, match=r"noise is '500.0' for all 240 rows"):
        learn(COSTS, data, NOW)


def test_nine_of_ten_amounts_lie_in_their_interval(costly: Training) -> None:
    data = costs(seed=99)
    data = data[data["label"].notna()]
    predicted = predict(COSTS, costly.model, data)
    inside = (predicted["confidence_low"] <= data["label"].to_numpy()) & (
        data["label"].to_numpy() <= predicted["confidence_high"]
    )
    assert 0.86 < inside.mean() < 0.97
    assert predicted["risk_band"].isna().all()


def test_an_amounts_reasons_are_in_its_unit(costly: Training) -> None:
    row = costs().tail(1).assign(hours=100.0, rush=2.0)
    reasons = predict(COSTS, costly.model, row)["reasons"].iloc[0]
    assert reasons[0]["feature"] == "hours"
    assert 400 < reasons[0]["contribution"] < 900  # 60 hours more than usual, at 10 to 13
    assert reasons[0]["words"].startswith("100 hours planned (raises it by ")
    assert reasons[0]["words"].endswith(" euros)")


@pytest.mark.parametrize(
    ("spec", "label", "words"),
    [(SPEC, 0.5, "outcome 0.5, but made_up_churn is binary"), (COSTS, np.inf, "infinite outcome")],
)
def test_an_impossible_label_is_refused(spec: ModelSpec, label: float, words: str) -> None:
    data = frame() if spec is SPEC else costs()
    data.loc[3, "label"] = label
    with pytest.raises(LabelError, match=words):
        learn(spec, data, NOW)


def test_amounts_that_are_all_the_same_are_too_little_to_learn_from() -> None:
    data = costs()
    data.loc[data["label"].notna(), "label"] = 5.0
    with pytest.raises(TooFewData, match="of one outcome only"):
        learn(COSTS, data, NOW)
    with pytest.raises(TooFewData, match="rows to train on where 200 are needed"):
        learn(COSTS, costs(customers=3), NOW)


# --- forecast -------------------------------------------------------------------------------------
def series(values: list[float], tenant: str = "a", name: str = "s") -> pd.DataFrame:
    """One value a day, known when the day is over; the last one is not over yet."""
    as_of = START + pd.to_timedelta(np.arange(len(values)), unit="D")
    return pd.DataFrame(
        {
            "entity_id": name,
            "tenant_id": tenant,
            "as_of_at": as_of,
            "label": [*values[:-1], np.nan],
            "label_known_at": as_of + pd.Timedelta(days=1),
        }
    )


THREE = replace(DEMAND, season=Season(days=3), features=())


def test_what_a_series_shows_is_what_was_known_of_it() -> None:
    found = look_back(THREE, series([10.0, 20.0, 30.0, 11.0, 22.0, 33.0, 99.0]))
    assert found[SEASONAL].tolist() == [10.0, 20.0, 30.0, 11.0]
    # on day 4, day 3's value is known: 11, one more than three days before it
    assert found[NEWEST].fillna(0).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert found[RECENT].fillna(0).tolist() == [0.0, 1.0, 1.5, 2.0]
    assert found[LEVEL].tolist() == [20.0, 17.75, 18.6, 21.0]


def test_a_season_that_is_not_over_is_skipped_for_the_one_before() -> None:
    data = series([10.0, 20.0, 30.0, 11.0, 22.0, 33.0, 99.0])
    data["label_known_at"] += pd.Timedelta(days=3)  # known four days after
    found = look_back(THREE, data)
    assert found.set_index("as_of_at")[SEASONAL].to_dict() == {START + pd.Timedelta(days=6): 10.0}


def test_rule_80_a_later_value_changes_nothing_that_was_seen_before() -> None:
    values = [10.0, 20.0, 30.0, 11.0, 22.0, 33.0, 99.0]
    before = look_back(THREE, series(values))
    after = look_back(THREE, series([*values[:5], 7.0, 8.0, 9.0]))
    pd.testing.assert_frame_equal(
        before[[SEASONAL, NEWEST, RECENT, LEVEL]].iloc[:3],
        after[[SEASONAL, NEWEST, RECENT, LEVEL]].iloc[:3],
    )


def test_two_tenants_with_a_series_of_the_same_name_never_meet() -> None:
    small, large = series([1.0, 2.0, 3.0, 4.0, 5.0]), series([100.0] * 5, tenant="b")
    together = look_back(THREE, pd.concat([large, small], ignore_index=True))
    for tenant, alone in (("a", small), ("b", large)):
        rows = together[together["tenant_id"] == tenant].reset_index(drop=True)
        expected = look_back(THREE, alone).reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected)


def test_months_are_the_calendars() -> None:
    months = pd.date_range("2024-01-01", periods=14, freq="MS", tz="UTC")
    data = series([float(n) for n in range(14)]).assign(as_of_at=months)
    data["label_known_at"] = months + pd.DateOffset(months=1)
    found = look_back(replace(THREE, season=Season(months=12)), data)
    assert found[SEASONAL].tolist() == [0.0, 1.0]


def test_rule_83_a_forecast_beats_the_season_before(foreseen: Training) -> None:
    holdout, naive = foreseen.metrics["holdout"], foreseen.baselines["seasonal_naive"]
    assert list(foreseen.baselines) == ["seasonal_naive"]
    assert foreseen.promoted
    assert holdout["mae"] < 0.8 * naive["mae"]


def test_rule_83_the_baseline_is_the_value_of_a_season_earlier(foreseen: Training) -> None:
    data = demand().set_index(["tenant_id", "entity_id", "as_of_at"])["label"]
    held = foreseen.parameters["holdout_from"]
    rows = data[data.index.get_level_values("as_of_at") >= pd.Timestamp(held)].dropna()
    before = [data[tenant, name, at - pd.Timedelta(days=7)] for tenant, name, at in rows.index]
    error = float(np.mean(np.abs(rows.to_numpy() - before)))
    assert foreseen.baselines["seasonal_naive"]["mae"] == pytest.approx(error, abs=1e-6)


def test_rule_83_a_forecast_that_does_worse_than_the_season_is_not_promoted() -> None:
    """A trend that every series had until the held-out window begins, when it stops at once."""
    data = demand()
    since = labelled_rows(DEMAND, data, TODAY)["as_of_at"].quantile(0.8)
    week = data.groupby(["tenant_id", "entity_id"])["label"].shift(7)
    for _ in range(4):  # week after week the same again
        week = data.groupby(["tenant_id", "entity_id"])["label"].shift(7)
        data.loc[data["as_of_at"] >= since, "label"] = week
    result = learn(DEMAND, data, TODAY)
    assert result.baselines["seasonal_naive"]["mae"] == 0
    assert not result.promoted
    assert "against 0 (the value a season earlier)" in result.verdict


def test_rule_82_a_column_from_the_future_of_a_series_fails_the_leakage_check() -> None:
    data = demand()
    data["is_holiday"] = as_open(data["label"] * 3)
    with pytest.raises(LeakageError, match="is_holiday foretells the outcome too well"):
        learn(DEMAND, data, TODAY)


def test_a_forecast_covers_series_that_have_a_season_behind_them(foreseen: Training) -> None:
    young = demand().tail(4).assign(entity_id="opened this week")
    spec, rows = prepare(DEMAND, pd.concat([demand(), young], ignore_index=True))
    newest = rows[rows["as_of_at"] == rows["as_of_at"].max()]
    predicted = predict(spec, foreseen.model, newest)
    assert len(predicted) == 6
    assert (predicted["confidence_low"] <= predicted["predicted_value"]).all()
    large = predicted[predicted["entity_id"] == "site 2"].iloc[0]
    words = {reason["feature"]: reason["words"] for reason in large["reasons"]}
    assert words and all("it by" in text and "visits" in text for text in words.values())
    assert {one.feature for one in drift(spec, foreseen.model, newest)} == set(spec.feature_names)


def test_the_same_series_give_the_same_forecast_in_any_order(foreseen: Training) -> None:
    again = learn(DEMAND, demand().sample(frac=1, random_state=1), TODAY)
    assert again.model.fingerprint == foreseen.model.fingerprint
    assert again.metrics == foreseen.metrics


def test_rule_81_an_open_value_is_no_history() -> None:
    """Values are known ten days late, so that a week earlier is still open; it is 0 meanwhile."""
    data = demand()
    data["label_known_at"] += pd.Timedelta(days=10)
    open_rows = data["label_known_at"] > TODAY
    data.loc[open_rows, "label"] = 0.0
    spec, rows = prepare(DEMAND, data)
    assert rows["as_of_at"].max() == TODAY
    assert not (rows[SEASONAL] == 0.0).any()
    assert (labelled_rows(spec, rows, TODAY)["label_known_at"] <= TODAY).all()


def test_a_column_may_not_take_the_name_of_what_a_forecast_adds() -> None:
    taken = replace(DEMAND, features=(Feature(SEASONAL, "{value}"),))
    with pytest.raises(LeakageError, match="Give the column another name"):
        prepare(taken, demand())


# --- score ----------------------------------------------------------------------------------------
def test_a_score_is_its_rule_and_its_points_are_the_reasons() -> None:
    rows = costs().tail(3).assign(rush=[1.0, 4.0, 14.0], hours=[40.0, 40.0, np.nan])
    scored = predict(QUALITY, by_rule(QUALITY, rows).model, rows)
    assert scored["predicted_value"].tolist() == [100.0, 70.0, 0.0]
    assert scored["confidence_low"].equals(scored["predicted_value"])
    assert scored["risk_band"].tolist() == ["good", "good", "poor"]
    words: list[Any] = [[reason["words"] for reason in reasons] for reasons in scored["reasons"]]
    assert words == [
        [],
        ["4 urgent orders (takes 30 points)"],
        ["14 urgent orders (takes 130 points)", "unknown hours planned (takes 30 points)"],
    ]


def test_a_score_is_the_same_model_on_other_data_and_has_a_card() -> None:
    one, two = by_rule(QUALITY, costs()), by_rule(QUALITY, costs(seed=8))
    assert one.model.fingerprint == two.model.fingerprint
    assert one.promoted
    assert drift(QUALITY, one.model, costs()) == []
    text = card.write(QUALITY, one)
    assert "`tests.python.ml.amounts.points` adds or takes, from 0 to 100" in text


def test_a_score_too_is_told_of_columns_nobody_vouches_for() -> None:
    with pytest.raises(LeakageError, match="surprise"):
        by_rule(QUALITY, costs().assign(surprise=1.0))


def more(features: pd.DataFrame) -> pd.DataFrame:
    return points(features).assign(nonsense=1.0)


def test_points_for_what_is_no_feature_are_an_error_that_names_it() -> None:
    assert QUALITY.scorecard is not None
    odd = replace(QUALITY, scorecard=replace(QUALITY.scorecard, points=more))
    with pytest.raises(ValueError, match="gives points to nonsense"):
        predict(odd, by_rule(odd, costs()).model, costs())


# --- descriptions and cards -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task": "forecast"}, "needs a season"),
        ({"task": "score"}, "needs the scorecard"),
        ({"outcomes_table": ""}, "needs the table of its outcomes"),
    ],
)
def test_a_description_without_what_its_task_needs_is_refused(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SPEC, **change)


def test_cards_hold_the_figures_of_their_task(costly: Training, foreseen: Training) -> None:
    spec, _ = prepare(DEMAND, demand())
    for text, figures in (
        (card.write(COSTS, costly), "|  | rows | rmse | mae | bias | r2 |"),
        (card.write(spec, foreseen), "|  | rows | mae | rmse | bias | r2 |"),
    ):
        assert figures in text
        assert "- Bands: none" in text
    assert "| seasonal_naive | " in card.write(spec, foreseen)
