"""Rules 80 to 84 on the pure cores: frames in, verdicts out, no database."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.common import fingerprint
from ml.common.errors import LeakageError, TooFewData
from ml.common.model import predict
from ml.common.splits import forward
from ml.common.tasks import task_of
from ml.common.training import (
    Training,
    components_of,
    fingerprint_of,
    labelled_rows,
    train,
)
from tests.python.ml.made_up import NOW, SPEC, START, frame


@pytest.fixture(scope="module")
def trained() -> Training:
    return train(SPEC, frame(), NOW)


def test_a_model_that_has_something_to_learn_beats_both_baselines(trained: Training) -> None:
    holdout, baselines = trained.metrics["holdout"], trained.baselines
    assert trained.promoted
    assert holdout["auc"] > baselines["one_variable_rule"]["auc"] > 0.5
    assert holdout["brier"] < baselines["one_variable_rule"]["brier"]
    assert holdout["brier"] < baselines["base_rate"]["brier"]
    assert baselines["base_rate"]["auc"] == 0.5


def test_rule_82_shuffled_labels_give_no_better_than_a_coin() -> None:
    data = frame()
    known = data["label"].notna()
    rng = np.random.default_rng(0)
    data.loc[known, "label"] = rng.permutation(data.loc[known, "label"].to_numpy())
    shuffled = train(SPEC, data, NOW)
    assert abs(shuffled.metrics["holdout"]["auc"] - 0.5) < 0.06


def test_rule_83_what_cannot_be_learned_is_not_promoted_and_says_so() -> None:
    results = [train(SPEC, frame(seed=seed, signal=0.0), NOW) for seed in (11, 12)]
    assert not any(result.promoted for result in results)
    assert all("is not promoted" in result.verdict for result in results)


def test_rule_81_open_label_windows_are_left_out() -> None:
    data = frame()
    open_rows = data["label_known_at"] > NOW
    assert open_rows.any()
    data.loc[open_rows, "label"] = 0.0  # as if silence were an answer
    rows = labelled_rows(SPEC, data, NOW)
    assert len(rows) == int((~open_rows).sum())
    assert (rows["label_known_at"] <= NOW).all()


def test_rule_82_every_fold_is_trained_before_it_begins() -> None:
    rows = labelled_rows(SPEC, frame(), NOW)
    splits = forward(SPEC, task_of(SPEC), rows)
    starts = [fold.starts_at for fold in (*splits.validation, splits.holdout)]
    assert starts == sorted(starts)
    for fold in (*splits.validation, splits.holdout):
        assert (rows["label_known_at"].iloc[fold.train] <= fold.starts_at).all()
        assert (rows["as_of_at"].iloc[fold.test] >= fold.starts_at).all()
    touched = set().union(*(set(fold.train) | set(fold.test) for fold in splits.validation))
    assert touched.isdisjoint(splits.holdout.test)


def planted(data: pd.DataFrame, kind: str) -> pd.Series:
    """Columns as they come from the future by mistake."""
    label = data["label"]
    rng = np.random.default_rng(5)
    if kind == "the outcome itself":
        return label.fillna(0.0)
    if kind == "days until it happens":
        return pd.Series(np.where(label == 1, rng.integers(1, 28, len(label)), np.nan))
    if kind == "a noisy echo":
        return label.fillna(0.0) + rng.normal(scale=0.55, size=len(label))
    return pd.Series(np.where(label == 1, rng.random(len(label)) < 0.5, 0.0))


@pytest.mark.parametrize(
    "kind",
    ["the outcome itself", "days until it happens", "a noisy echo", "known for half of them"],
)
def test_rule_82_a_declared_column_from_the_future_fails_the_leakage_check(kind: str) -> None:
    data = frame()
    data["noise"] = planted(data, kind)
    with pytest.raises(LeakageError, match="noise"):
        train(SPEC, data, NOW)


def test_rule_82_an_undeclared_column_fails_the_leakage_check() -> None:
    with pytest.raises(LeakageError, match="mrr_next_month"):
        train(SPEC, frame().assign(mrr_next_month=1.0), NOW)


def test_an_instant_is_no_feature() -> None:
    data = frame()
    data["noise"] = START
    with pytest.raises(LeakageError, match="noise is an instant"):
        train(SPEC, data, NOW)


def test_a_column_that_nobody_filled_yet_is_no_obstacle() -> None:
    empty = frame()
    empty["mood"] = np.nan
    learned = train(SPEC, empty, NOW)
    assert learned.metrics["holdout"]["auc"] > learned.baselines["base_rate"]["auc"]


def test_too_few_rows_is_a_sentence_not_a_model() -> None:
    with pytest.raises(TooFewData, match="rows"):
        train(SPEC, frame(customers=4), NOW)
    with pytest.raises(TooFewData, match="no outcome is known"):
        train(SPEC, frame().iloc[:0], NOW)


def test_the_same_data_give_the_same_model_to_the_bit(trained: Training) -> None:
    again = train(SPEC, frame().sample(frac=1, random_state=1), NOW)
    assert again.model.fingerprint == trained.model.fingerprint
    assert again.metrics == trained.metrics
    rows = newest()
    pd.testing.assert_frame_equal(
        predict(SPEC, trained.model, rows), predict(SPEC, again.model, rows)
    )


def newest() -> pd.DataFrame:
    data = frame()
    return data[data["as_of_at"] == data["as_of_at"].max()]


@pytest.mark.parametrize("change", ["value", "row", "label"])
def test_another_input_is_another_fingerprint(change: str) -> None:
    rows = labelled_rows(SPEC, frame(), NOW)
    other = rows.copy()
    if change == "value":
        other.loc[7, "idle_days"] = np.nextafter(other.loc[7, "idle_days"], 1e9)
    elif change == "row":
        other = other.iloc[1:]
    else:
        other.loc[7, "label"] = 1 - other.loc[7, "label"]
    names = {fingerprint_of(components_of(SPEC, data)) for data in (rows, other)}
    assert len(names) == 2


def test_predictions_carry_interval_band_reasons_and_fingerprint(trained: Training) -> None:
    rows = newest()
    predicted = predict(SPEC, trained.model, rows)
    assert len(predicted) == len(rows)
    assert predicted["predicted_value"].between(0, 1).all()
    assert (predicted["confidence_low"] <= predicted["predicted_value"]).all()
    assert (predicted["confidence_high"] >= predicted["predicted_value"]).all()
    assert list(predicted["risk_band"]) == [SPEC.band(v) for v in predicted["predicted_value"]]
    riskiest = predicted.loc[predicted["predicted_value"].idxmax(), "reasons"]
    assert riskiest[0]["feature"] in {"idle_days", "failed_payments"}
    assert "raises the chance" in riskiest[0]["words"]
    first = rows.iloc[0][list(SPEC.feature_names)].to_dict()
    assert predicted.iloc[0]["feature_fingerprint"] == fingerprint.of_row(first)


def test_a_column_that_stands_still_for_a_season_is_not_taken_for_a_leak() -> None:
    data = frame()
    season = ((data["as_of_at"] - START).dt.days // 63).astype(float)
    still_open = data["as_of_at"] > data.loc[data["label"].notna(), "as_of_at"].max()
    assert season[still_open].nunique() == 1 < season.nunique()
    assert train(SPEC, data.assign(noise=season), NOW).promoted
