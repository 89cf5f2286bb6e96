"""The learning core on data nobody here made up; skipped, and said so, where `../shared/data` is absent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score

from ml.common.errors import LeakageError
from ml.common.spec import Feature, ModelSpec, Season
from ml.common.tasks import task_of
from ml.common.training import Training, prepare, train
from tests.python.ml.made_up import SPEC as MADE_UP
from tests.python.ml.made_up import START
from tests.shared_data import shared


def spec_for(features: tuple[Feature, ...], **more: Any) -> ModelSpec:
    return replace(MADE_UP, features=features, **more)


@pytest.mark.slow
def test_telco_churn_reaches_the_published_figures() -> None:
    raw = pd.read_csv(shared("ml/churn_telco/Telco-Customer-Churn.csv"))
    raw["TotalCharges"] = pd.to_numeric(raw["TotalCharges"], errors="coerce")
    outcome = (raw.pop("Churn") == "Yes").astype(int)
    raw = raw.drop(columns="customerID")
    features = tuple(
        Feature(name, name, "number" if pd.api.types.is_numeric_dtype(raw[name]) else "category")
        for name in raw.columns
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    best = {}
    spec = spec_for(features)
    for candidate in task_of(spec).candidates():
        model = candidate.build(spec)
        scores = cross_val_score(model, raw, outcome, cv=folds, scoring="roc_auc")
        best[candidate.name] = scores.mean()
    assert max(v for k, v in best.items() if "logistic" in k) == pytest.approx(0.845, abs=0.004)
    assert max(v for k, v in best.items() if "trees" in k) >= 0.834


@pytest.mark.slow
def test_the_leak_in_online_shoppers_is_found() -> None:
    raw = pd.read_csv(shared("ml/lead_online_shoppers/online_shoppers_intention.csv"))
    frame = raw.drop(columns="Revenue").sample(frac=1, random_state=4).reset_index(drop=True)
    frame["Weekend"] = frame["Weekend"].astype(float)
    names = list(frame.columns)
    features = tuple(
        Feature(name, name, "number" if pd.api.types.is_numeric_dtype(frame[name]) else "category")
        for name in names
    )
    frame["label"] = (
        raw["Revenue"].loc[raw.sample(frac=1, random_state=4).index].to_numpy(dtype=float)
    )
    frame["entity_id"] = [str(i) for i in frame.index]
    frame["tenant_id"] = [str(i % 10) for i in frame.index]
    frame["as_of_at"] = START + pd.to_timedelta(frame.index // 400, unit="D")
    frame["label_known_at"] = frame["as_of_at"] + pd.Timedelta(days=1)
    now = frame["label_known_at"].max()
    with pytest.raises(LeakageError, match="PageValues"):
        train(spec_for(features), frame, now)
    honest = tuple(feature for feature in features if feature.name != "PageValues")
    trained = train(spec_for(honest), frame.drop(columns="PageValues"), now)
    assert trained.metrics["holdout"]["auc"] == pytest.approx(0.776, abs=0.03)
    assert trained.promoted


def forecast(season: Season, frame: pd.DataFrame, *features: Feature) -> Training:
    """Learn a frame of series whose every outcome is known; airlines have no more than 144 rows."""
    more = {"task": "forecast", "season": season, "bands": ()}
    spec = spec_for(features, **more, min_training_rows=60, min_holdout_rows=20)
    return train(*prepare(spec, frame), frame["label_known_at"].max())


def beats_the_season(trained: Training) -> float:
    """The share of the seasonal naive error that is left."""
    naive = trained.baselines["seasonal_naive"]["mae"]
    assert trained.promoted, trained.verdict
    return float(trained.metrics["holdout"]["mae"] / naive)


@pytest.mark.slow
@pytest.mark.parametrize(("months_ahead", "left"), [(1, 0.35), (3, 0.45)])
def test_airline_passengers_are_foretold_better_than_by_the_year_before(
    months_ahead: int, left: float
) -> None:
    """The seasonal naive forecast misses by a trend of a tenth a year: 43 thousand passengers."""
    raw = pd.read_csv(shared("ml/forecast/airline-passengers.csv"))
    month = pd.to_datetime(raw["month"], utc=True)
    frame = pd.DataFrame(
        {
            "entity_id": f"passengers, {months_ahead} months ahead",
            "tenant_id": "airline",
            "as_of_at": month - pd.DateOffset(months=months_ahead - 1),
            "label": raw["passengers"].astype(float),
            "label_known_at": month + pd.DateOffset(months=1),
        }
    )
    trained = forecast(Season(months=12), frame)
    assert trained.baselines["seasonal_naive"]["mae"] == pytest.approx(42.96, abs=0.01)
    assert beats_the_season(trained) < left


@pytest.mark.slow
def test_weekly_sales_are_foretold_better_than_by_the_year_before() -> None:
    raw = pd.read_csv(shared("ml/forecast/walmart_sales_weekly.csv"))
    week = pd.to_datetime(raw["Date"], utc=True)
    frame = pd.DataFrame(
        {
            "entity_id": "department " + raw["Dept"].astype(str),
            "tenant_id": "half " + (raw["Dept"] % 2).astype(str),
            "as_of_at": week - pd.Timedelta(days=7),
            "is_holiday": raw["IsHoliday"].astype(float),
            "label": raw["Weekly_Sales"].astype(float),
            "label_known_at": week,
        }
    )
    trained = forecast(Season(days=364), frame, Feature("is_holiday", "holiday: {value}"))
    assert beats_the_season(trained) < 0.9


def bikes() -> pd.DataFrame:
    return pd.read_csv(shared("ml/forecast/bike_sharing_daily.csv"), parse_dates=["dteday"])


@pytest.mark.slow
def test_bike_rentals_of_tomorrow_and_in_a_week_beat_the_same_weekday() -> None:
    """Tomorrow's weather is not known today, so that little can be gained: honestly a little is."""
    raw = bikes()
    day = raw["dteday"].dt.tz_localize("UTC")
    frame = pd.concat(
        pd.DataFrame(
            {
                "entity_id": f"rentals, {ahead} days ahead",
                "tenant_id": who,
                "as_of_at": day - pd.Timedelta(days=ahead - 1),
                "holiday": raw["holiday"].astype(float),
                "month": raw["mnth"].astype(float),
                "weekday": raw["weekday"].astype(float),
                "label": raw[who].astype(float),
                "label_known_at": day + pd.Timedelta(days=1),
            }
        )
        for who in ("casual", "registered")
        for ahead in (1, 7)
    )
    features = (Feature(name, name) for name in ("holiday", "month", "weekday"))
    assert beats_the_season(forecast(Season(days=7), frame, *features)) < 1


@pytest.mark.slow
def test_the_leak_in_bike_rentals_is_found() -> None:
    """What a day's rentals were is registered + casual: with one of them the day is told."""
    raw = bikes()
    names = ["temp", "hum", "windspeed", "weathersit", "workingday", "mnth", "registered"]
    frame = raw[names].astype(float).assign(
        entity_id=[f"day {i}" for i in raw.index],
        tenant_id=[str(i % 2) for i in raw.index],
        as_of_at=raw["dteday"].dt.tz_localize("UTC"),
        label=raw["cnt"].astype(float),
        label_known_at=raw["dteday"].dt.tz_localize("UTC") + pd.Timedelta(days=1),
    )  # fmt: skip
    features = tuple(Feature(name, name) for name in names)
    now = frame["label_known_at"].max()
    amounts = {"task": "regression", "bands": (), "unit": "rentals"}
    with pytest.raises(LeakageError, match="registered foretells the outcome too well"):
        train(spec_for(features, **amounts), frame, now)
    trained = train(spec_for(features[:-1], **amounts), frame.drop(columns="registered"), now)
    assert trained.metrics["holdout"]["rmse"] < trained.baselines["mean"]["rmse"]
