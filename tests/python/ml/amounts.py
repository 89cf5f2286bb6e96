"""Small worlds with known answers for the tasks that predict amounts, and a rule to score by.

Costs depend on hours and on rush; series have a weekly season, a level of their own and a trend that
the season of a week ago does not know. Two dozen tenants; series of equal names in two of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ml.common.spec import Band, Feature, ModelSpec, Scorecard, Season
from tests.python.ml import made_up
from tests.python.ml.made_up import NOW, START, WEEKS

COSTS = replace(
    made_up.SPEC,
    name="made_up_costs",
    task="regression",
    unit="euros",
    question="What will the next four weeks cost?",
    bands=(),
    features=(
        Feature("plan", "plan is {value}", kind="category"),
        Feature("hours", "{value} hours planned", may_dominate="the plan is made before"),
        Feature("rush", "{value} urgent orders"),
        Feature("noise", "noise of {value}"),
    ),
)


def costs(customers: int = 60, seed: int = 3, signal: float = 1.0) -> pd.DataFrame:
    """Costs of 500 and 10 an hour, 40 a rush, a third more on the annual plan, and chance of 60."""
    rng = np.random.default_rng(seed)
    weeks = np.repeat(np.arange(WEEKS + 1), customers)
    ids = np.tile(np.arange(customers), WEEKS + 1)
    hours, rush = rng.gamma(4.0, 10.0, len(ids)), rng.poisson(2.0, len(ids)).astype(float)
    plan = np.where(ids % 3 == 0, "annual", "monthly")
    told = (10 * (hours - 40) + 40 * (rush - 2)) * np.where(plan == "annual", 1.3, 1.0)
    as_of = START + pd.to_timedelta(weeks * 7, unit="D")
    known = as_of + pd.Timedelta(days=28)
    cost = 500 + signal * told + rng.normal(scale=60, size=len(ids))
    return pd.DataFrame(
        {
            "entity_id": [f"cus_{i}" for i in ids],
            "tenant_id": [f"00000000-0000-0000-0000-{i % 24:012d}" for i in ids],
            "as_of_at": as_of,
            "plan": plan,
            "hours": hours,
            "rush": rush,
            "noise": rng.normal(size=len(ids)),
            "label": np.where(known <= NOW, cost, np.nan),
            "label_known_at": known,
        }
    )


DEMAND = replace(
    made_up.SPEC,
    name="made_up_demand",
    task="forecast",
    unit="visits",
    season=Season(days=7),
    question="How many visits will there be tomorrow?",
    bands=(),
    features=(Feature("is_holiday", "holiday: {value}"),),
)
DAYS = 120


def demand(signal: float = 1.0, seed: int = 4, series: int = 6) -> pd.DataFrame:
    """Tomorrow's visits per series: level × weekday × (trend, holidays) and chance of 4 %.

    With ``signal`` 0 every week is the one before and a chance that nothing foretells.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(series):
        day = np.arange(DAYS + 1)
        level, weekday = 50.0 * 4 ** (number // 2), rng.uniform(0.6, 1.4, 7)[day % 7]
        holiday = (rng.random(len(day)) < 0.08).astype(float)
        growth = np.exp(signal * 0.012 * day) * (1 - signal * 0.5 * holiday)
        visits = level * weekday * growth
        if signal:
            visits *= 1 + 0.04 * rng.normal(size=len(day))
        else:
            visits = level * weekday + level * 0.02 * rng.normal(size=len(day)).cumsum()
        as_of = START + pd.to_timedelta(day, unit="D")
        known = as_of + pd.Timedelta(days=1)
        parts.append(
            pd.DataFrame(
                {
                    "entity_id": f"site {number // 2}",
                    "tenant_id": f"00000000-0000-0000-0000-{number % 2:012d}",
                    "as_of_at": as_of,
                    "is_holiday": holiday,
                    "label": np.where(day < DAYS, visits, np.nan),
                    "label_known_at": known,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


TODAY = START + pd.Timedelta(days=DAYS)


def points(features: pd.DataFrame) -> pd.DataFrame:
    """Ten points off for every rush beyond one, thirty for an unknown number of hours."""
    return pd.DataFrame(
        {
            "rush": -10.0 * (features["rush"] - 1).clip(lower=0),
            "hours": np.where(features["hours"].isna(), -30.0, 0.0),
        }
    )


QUALITY: ModelSpec = replace(
    COSTS,
    name="made_up_quality",
    task="score",
    outcomes_table="",
    question="How well planned is the month?",
    scorecard=Scorecard(points),
    bands=(Band("poor", 50), Band("good", 101)),
)
