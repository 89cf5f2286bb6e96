"""Training and predicting against a real database: registry, log, outcomes, refusals.

The features are a made-up table, so that each test decides what there is to learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml import run, schema
from ml.common.errors import ArtefactError, LeakageError
from tallyhouse.database import Warehouse
from tests.python.ml.amounts import COSTS, DEMAND, QUALITY, TODAY, costs, demand
from tests.python.ml.made_up import NOW, SPEC, frame

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Home:
    home: Path
    as_of: None = None


@pytest.fixture
def warehouse(
    fresh_database: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    monkeypatch.setattr(run, "find_specs", lambda: (SPEC,))
    return fresh_database("learning", prepared=True)


def put(warehouse: Warehouse, data: pd.DataFrame) -> None:
    """Write a frame as the two tables that dbt would have built."""
    keys = ["tenant_id", "customer_id", "as_of_at"]
    data = data.rename(columns={"entity_id": "customer_id"})
    features = data.drop(columns=["label", "label_known_at"])
    outcomes = data[[*keys, "label", "label_known_at"]]
    with warehouse.connect() as connection:
        connection.execute("create schema if not exists features")
        for name, table in (("customers", features), ("outcomes", outcomes)):
            kinds = {
                c: "uuid"
                if c == "tenant_id"
                else "timestamptz"
                if c in ("as_of_at", "label_known_at")
                else "text"
                if c in ("customer_id", "plan")
                else "double precision"
                for c in table.columns
            }
            connection.execute(f"drop table if exists features.feat_made_up__{name}")
            columns = ", ".join(f"{c} {k}" for c, k in kinds.items())
            connection.execute(f"create table features.feat_made_up__{name} ({columns})")
            with (
                connection.cursor() as cursor,
                cursor.copy(f"copy features.feat_made_up__{name} from stdin") as copy,
            ):
                for row in table.astype(object).where(table.notna(), None).itertuples(index=False):
                    copy.write_row(tuple(row))


def go(warehouse: Warehouse, home: Path, as_of: pd.Timestamp = NOW) -> run.ModelReport:
    report = run.train_and_predict(Home(home), warehouse.connect, as_of.to_pydatetime())
    return report.models[0]


def ask(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(query.encode()).fetchall()


REGISTRY = "select t::text from ml.predictive_models as t order by 1"
LOG = "select t::text from ml.predictions as t order by 1"


def test_a_second_run_over_the_same_data_changes_nothing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    put(warehouse, frame())
    first = go(warehouse, tmp_path)
    assert (first.status, first.predictions, first.new_predictions) == ("promoted", 250, 250)
    kept = ask(warehouse, REGISTRY), ask(warehouse, LOG)
    second = go(warehouse, tmp_path)
    assert (second.status, second.predictions, second.new_predictions) == ("unchanged", 250, 0)
    assert (ask(warehouse, REGISTRY), ask(warehouse, LOG)) == kept
    assert (tmp_path / "models" / "made_up_churn.md").read_text().startswith("# made_up_churn")


def test_a_lost_artefact_is_made_again_the_same(warehouse: Warehouse, tmp_path: Path) -> None:
    put(warehouse, frame())
    go(warehouse, tmp_path / "one")
    before = ask(warehouse, LOG)
    again = go(warehouse, tmp_path / "two")
    assert (again.status, again.new_predictions) == ("promoted", 0)
    assert ask(warehouse, LOG) == before


def test_rule_83_a_worse_candidate_leaves_the_old_model_active(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    put(warehouse, frame())
    first = go(warehouse, tmp_path)
    put(warehouse, frame(seed=11, signal=0.0))
    second = go(warehouse, tmp_path)
    assert second.status == "kept"
    assert "is not promoted" in second.sentence
    assert "The earlier model stays active." in second.sentence
    assert second.active_model_id == first.active_model_id
    assert ask(warehouse, "select count(*), count(*) filter (where is_active) from "
               "ml.predictive_models") == [(2, 1)]  # fmt: skip


def test_rule_82_a_planted_column_fails_the_run_and_the_old_model_stays(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    put(warehouse, frame())
    go(warehouse, tmp_path)
    kept = ask(warehouse, REGISTRY), ask(warehouse, LOG)
    put(warehouse, frame().assign(mrr_in_28_days=lambda data: 1.0 - data["label"]))
    with pytest.raises(LeakageError, match="mrr_in_28_days"):
        go(warehouse, tmp_path)
    assert (ask(warehouse, REGISTRY), ask(warehouse, LOG)) == kept


def test_rule_84_outcomes_are_joined_once_they_are_known(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    early = NOW - pd.Timedelta(days=28)
    data = frame()
    put(warehouse, data)
    with_early = go(warehouse, tmp_path, early)
    assert with_early.predictions == 250
    assert ask(warehouse, "select count(actual_outcome) from ml.predictions") == [(0,)]
    later = go(warehouse, tmp_path)
    assert later.new_outcomes == 250
    found = ask(
        warehouse,
        "select target_entity_id, actual_outcome from ml.predictions where as_of_at = "
        f"'{early.isoformat()}'",
    )
    truth = data[data["as_of_at"] == early].set_index("entity_id")["label"]
    assert dict(found) == truth.to_dict()


def test_an_altered_artefact_is_refused_unopened(warehouse: Warehouse, tmp_path: Path) -> None:
    """The active model's file, while a worse candidate of newer data does not take its place."""
    put(warehouse, frame())
    go(warehouse, tmp_path)
    artefact = next((tmp_path / "models").glob("*.joblib"))
    artefact.write_bytes(artefact.read_bytes() + b"x")
    put(warehouse, frame(seed=11, signal=0.0))
    with pytest.raises(ArtefactError, match="its digest differs"):
        go(warehouse, tmp_path)


def test_training_again_makes_an_altered_artefact_anew(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    put(warehouse, frame())
    go(warehouse, tmp_path)
    kept = ask(warehouse, LOG)
    artefact = next((tmp_path / "models").glob("*.joblib"))
    artefact.write_bytes(artefact.read_bytes() + b"x")
    again = go(warehouse, tmp_path)
    assert (again.status, again.predictions, again.new_predictions) == ("promoted", 250, 0)
    assert ask(warehouse, LOG) == kept
    assert go(warehouse, tmp_path).status == "unchanged"


DRIFT = """
    select feature_name, metric_date::text, psi, has_moved, scored_rows, measured_at
    from ml.feature_drift order by metric_date, feature_name
"""


def test_rule_84_drift_is_logged_once_a_day_and_what_moved_is_told(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    put(warehouse, frame())
    first = go(warehouse, tmp_path)
    assert "Moved away" not in first.sentence
    morning = ask(warehouse, DRIFT)
    assert {row[:2] for row in morning} == {(name, "2026-06-22") for name in SPEC.feature_names}
    assert {row[3:5] for row in morning} == {(False, 250)}
    go(warehouse, tmp_path)
    assert ask(warehouse, DRIFT) == morning, "a second run changes nothing"

    newest = frame()["as_of_at"] == NOW
    put(warehouse, frame().assign(idle_days=lambda data: data["idle_days"].mask(newest, 60.0)))
    later = go(warehouse, tmp_path, NOW + pd.Timedelta(hours=5))
    assert "Moved away from the training rows (stability index): idle_days" in later.sentence
    noon = ask(warehouse, DRIFT)
    assert len(noon) == len(morning), "one row a day"
    assert {row[0] for row in noon if row[3]} == {"idle_days"} == set(later.drifted)

    put(warehouse, frame())
    go(warehouse, tmp_path)
    assert ask(warehouse, DRIFT) == noon, "an earlier hour comes after it"
    go(warehouse, tmp_path, NOW + pd.Timedelta(days=1))
    assert [row[1] for row in ask(warehouse, DRIFT)].count("2026-06-23") == len(morning)


@pytest.mark.parametrize("customers", [3, 0])
def test_too_little_to_learn_from_is_said_and_nothing_is_written(
    warehouse: Warehouse, tmp_path: Path, customers: int
) -> None:
    put(warehouse, frame(customers=max(customers, 1)).iloc[: None if customers else 0])
    report = go(warehouse, tmp_path)
    assert report.status == "too_few_data"
    assert "No model is active, so nothing is predicted." in report.sentence
    assert ask(warehouse, REGISTRY) == [] == ask(warehouse, LOG)


def test_features_that_were_not_built_are_named(warehouse: Warehouse, tmp_path: Path) -> None:
    report = go(warehouse, tmp_path)
    assert report.status == "not_built"
    assert "features.feat_made_up__customers" in report.sentence


def test_an_amount_is_trained_predicted_and_joined_like_a_chance(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "find_specs", lambda: (COSTS,))
    data = costs()
    put(warehouse, data)
    early = NOW - pd.Timedelta(days=28)
    assert go(warehouse, tmp_path, early).status == "promoted"
    assert go(warehouse, tmp_path).new_outcomes == 60
    found = ask(
        warehouse,
        "select target_entity_id, actual_outcome, predicted_value, risk_band from ml.predictions "
        f"where as_of_at = '{early.isoformat()}'",
    )
    truth = data[data["as_of_at"] == early].set_index("entity_id")["label"]
    assert {row[0]: row[1] for row in found} == pytest.approx(truth.to_dict())
    assert all(value > 1 and band is None for _, _, value, band in found)
    assert ask(warehouse, "select distinct task from ml.predictive_models") == [("regression",)]


def test_a_forecast_is_of_every_series_and_a_second_run_changes_nothing(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "find_specs", lambda: (DEMAND,))
    put(warehouse, demand())
    first = go(warehouse, tmp_path, TODAY)
    assert (first.status, first.predictions, first.new_predictions) == ("promoted", 6, 6)
    kept = ask(warehouse, REGISTRY), ask(warehouse, LOG)
    second = go(warehouse, tmp_path, TODAY)
    assert (second.status, second.new_predictions) == ("unchanged", 0)
    assert (ask(warehouse, REGISTRY), ask(warehouse, LOG)) == kept
    assert "| seasonal_naive |" in (tmp_path / "models" / "made_up_demand.md").read_text()


def test_a_score_needs_no_outcomes_and_no_training(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "find_specs", lambda: (QUALITY,))
    put(warehouse, costs())
    with warehouse.connect() as connection:
        connection.execute("drop table features.feat_made_up__outcomes")
    first = go(warehouse, tmp_path)
    assert (first.status, first.predictions, first.new_predictions) == ("promoted", 60, 60)
    assert (second := go(warehouse, tmp_path)).status == "unchanged"
    assert (second.new_predictions, second.new_outcomes) == (0, 0)
    rows = ask(warehouse, "select predicted_value, confidence_low, risk_band from ml.predictions")
    rush = costs().query("as_of_at == as_of_at.max()")["rush"]
    assert sorted(row[0] for row in rows) == sorted(100 - 10 * (rush - 1).clip(lower=0))
    assert all(value == low for value, low, _ in rows)


def test_only_those_have_their_turn_who_are_named(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "find_specs", lambda: (SPEC, COSTS))
    report = run.train_and_predict(
        Home(tmp_path), warehouse.connect, NOW.to_pydatetime(), only=["made_up_costs"]
    )
    assert [model.name for model in report.models] == ["made_up_costs"]


def test_a_store_of_chances_alone_takes_amounts_after_the_next_preparation(
    warehouse: Warehouse,
) -> None:
    with warehouse.connect() as connection:
        connection.execute("alter table ml.predictive_models drop column task")
        connection.execute("alter table ml.predictions alter column risk_band set not null")
        connection.execute(
            "alter table ml.predictions add constraint predictions_predicted_value_check "
            "check (predicted_value between 0 and 1)"
        )
        schema.apply(connection)
        schema.apply(connection)
        rules = connection.execute(
            "select conname from pg_constraint where conname = 'predictions_predicted_value_check'"
        ).fetchall()
        columns = connection.execute(
            "select column_name, is_nullable from information_schema.columns where table_schema = "
            "'ml' and column_name in ('task', 'risk_band') order by 1"
        ).fetchall()
    assert rules == []
    assert columns == [("risk_band", "YES"), ("task", "NO")]
