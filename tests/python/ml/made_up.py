"""A small world with a known answer for the tests of learning: who leaves depends on ``idle``.

Weekly as-of times, a label window of four weeks, two dozen tenants. Nothing here is a sample of the
simulator; it only has to be learnable by design.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.common.spec import Band, Feature, ModelSpec

START = pd.Timestamp("2026-01-05", tz="UTC")
WEEKS = 24
NOW = START + pd.Timedelta(weeks=WEEKS)

SPEC = ModelSpec(
    name="made_up_churn",
    version="1",
    question="Does the customer leave within four weeks?",
    entity="customer",
    prediction_type="made_up",
    features_table="features.feat_made_up__customers",
    outcomes_table="features.feat_made_up__outcomes",
    scores_newest_only=True,
    bands=(Band("low", 0.2), Band("medium", 0.5), Band("high", 1.01)),
    features=(
        Feature("plan", "plan is {value}", kind="category"),
        Feature("idle_days", "idle for {value} days"),
        Feature("failed_payments", "{value} failed payments"),
        Feature("noise", "noise of {value}"),
        Feature("mood", "mood of {value}"),
    ),
)


def frame(customers: int = 250, seed: int = 3, signal: float = 1.0) -> pd.DataFrame:
    """Keys, features, label and when it is known. ``signal`` 0: nothing can be learned."""
    rng = np.random.default_rng(seed)
    weeks = np.repeat(np.arange(WEEKS + 1), customers)
    ids = np.tile(np.arange(customers), WEEKS + 1)
    idle = rng.gamma(2.0, 4.0, len(ids))
    failed = rng.poisson(0.3, len(ids))
    plan = np.where(ids % 3 == 0, "annual", "monthly")
    odds = -2.2 + signal * (0.16 * (idle - 8) + 1.1 * failed - 1.2 * (plan == "annual"))
    label = (rng.random(len(ids)) < 1 / (1 + np.exp(-odds))).astype(float)
    as_of = START + pd.to_timedelta(weeks * 7, unit="D")
    known = as_of + pd.Timedelta(days=28)
    return pd.DataFrame(
        {
            "entity_id": [f"cus_{i}" for i in ids],
            "tenant_id": [f"00000000-0000-0000-0000-{i % 24:012d}" for i in ids],
            "as_of_at": as_of,
            "plan": plan,
            "idle_days": idle,
            "failed_payments": failed.astype(float),
            "noise": rng.normal(size=len(ids)),
            "mood": np.where(rng.random(len(ids)) < 0.4, np.nan, rng.integers(1, 6, len(ids))),
            "label": np.where(known <= NOW, label, np.nan),
            "label_known_at": known,
        }
    )
