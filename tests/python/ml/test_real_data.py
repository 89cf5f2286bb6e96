"""The learning core on data nobody here made up (skipped where the data are absent)."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score

from ml.common.errors import LeakageError
from ml.common.estimators import candidates
from ml.common.spec import Feature, ModelSpec
from ml.common.training import train
from tests.python.ml.made_up import SPEC as MADE_UP
from tests.python.ml.made_up import START
from tests.shared_data import shared


def spec_for(features: tuple[Feature, ...]) -> ModelSpec:
    return ModelSpec(**{**MADE_UP.__dict__, "features": features})


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
    for candidate in candidates():
        model = candidate.build(spec_for(features))
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
