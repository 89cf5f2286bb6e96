"""Train and predict for every model: the thin shell around the pure cores.

Belongs here: the order of things and one transaction per model. Does not belong here: arithmetic
(``ml.common``), SQL (``ml.store``), orchestration.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import psycopg

from ml import schema, store
from ml.common import artefact, card
from ml.common.drift import drift
from ml.common.errors import ArtefactError, LabelError, LeakageError, TooFewData
from ml.common.model import predict
from ml.common.spec import AS_OF, ENTITY, KNOWN, TENANT, ModelSpec
from ml.common.training import (
    by_rule,
    components_of,
    fingerprint_of,
    labelled_rows,
    prepare,
    train,
)
from ml.discovery import find_specs
from tallyhouse.errors import TallyhouseError

TOLD = 3  # features that moved, by name; all are in the log

Connect = Callable[[], psycopg.Connection]
Progress = Callable[[str], None]


class HasHome(Protocol):
    """What is needed of the settings."""

    @property
    def home(self) -> Path: ...

    @property
    def as_of(self) -> datetime | None: ...


@dataclass(frozen=True)
class _Job:
    """What one model's turn works with."""

    folder: Path
    connection: psycopg.Connection
    spec: ModelSpec
    frame: pd.DataFrame
    moment: pd.Timestamp


@dataclass(frozen=True)
class ModelReport:
    """What happened to one model. ``status``: promoted, kept, unchanged, too_few_data, not_built.

    metrics and baselines: of the candidate's held-out window; empty when nothing was trained.
    """

    name: str
    status: str
    sentence: str
    active_model_id: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    predictions: int = 0
    new_predictions: int = 0
    new_outcomes: int = 0
    drifted: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainReport:
    """One report per model, in the order they were trained."""

    as_of: datetime | None
    models: tuple[ModelReport, ...]

    @property
    def sentences(self) -> list[str]:
        return [model.sentence for model in self.models]


def train_and_predict(
    settings: HasHome,
    connect: Connect,
    as_of: datetime | None = None,
    progress: Progress | None = None,
    only: Collection[str] | None = None,
) -> TrainReport:
    """Train every model on the features built, promote what beats its baselines, predict, log.

    only: names of the models whose turn it is; all by default. The same data, code and as_of give
    the same models and no new rows. After all models have had their turn, raises ``LeakageError``
    when a column of one comes from the future, ``LabelError`` when an outcome is impossible, and
    ``ArtefactError`` when the file of an active model is unfit.
    """
    say = progress or (lambda _: None)
    reports: list[ModelReport] = []
    problems: list[TallyhouseError] = []
    with connect() as connection:
        schema.apply(connection)
        connection.commit()
        moment = _moment(connection, as_of or settings.as_of)
    for spec in find_specs():
        if only is not None and spec.name not in only:
            continue
        say(f"{spec.name}: training")
        with connect() as connection:
            try:
                reports.append(_one(settings.home / "models", connection, spec, moment))
            except (LeakageError, LabelError, ArtefactError) as error:
                connection.rollback()
                problems.append(error)
                continue
            connection.commit()
        say(reports[-1].sentence)
    if problems:
        raise type(problems[0])(" ".join(str(problem) for problem in problems))
    return TrainReport(moment.to_pydatetime() if moment is not None else None, tuple(reports))


def _moment(connection: psycopg.Connection, as_of: datetime | None) -> pd.Timestamp | None:
    if as_of is None:
        return store.newest_receipt(connection)
    moment = pd.Timestamp(as_of)
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")


def _one(
    folder: Path, connection: psycopg.Connection, spec: ModelSpec, moment: pd.Timestamp | None
) -> ModelReport:
    if moment is None:
        return ModelReport(spec.name, "too_few_data", f"{spec.name}: nothing is loaded yet.")
    missing = store.missing_tables(connection, spec)
    if missing:
        text = f"{spec.name}: {' and '.join(missing)} not built yet; run tallyhouse build first."
        return ModelReport(spec.name, "not_built", text)
    outcomes = store.join_outcomes(connection, spec, moment)
    spec, frame = prepare(spec, store.read_features(connection, spec, moment))
    job = _Job(folder, connection, spec, frame, moment)
    return _predict(job, _train(job), outcomes)


def _train(job: _Job) -> ModelReport:
    folder, connection, spec = job.folder, job.connection, job.spec
    labelled = labelled_rows(spec, job.frame, job.moment) if spec.learns else None
    name = fingerprint_of(components_of(spec, labelled))
    known = store.registered(connection, spec, name)
    is_kept = known is not None and artefact.is_kept(folder, name, known.digest)
    if known and is_kept and known.is_active == known.is_promoted:
        return ModelReport(
            spec.name,
            "unchanged",
            f"{known.verdict} Nothing new to learn from." if spec.learns else known.verdict,
            metrics=known.metrics["holdout"],
            baselines=known.baselines,
            rows=_count(labelled),
        )
    try:
        trained = train(spec, job.frame, job.moment) if spec.learns else by_rule(spec, job.frame)
    except TooFewData as reason:
        text = f"{spec.name}: too few data, nothing was trained ({reason})."
        return ModelReport(spec.name, "too_few_data", text, rows=_count(labelled))
    digest = artefact.save(folder, trained.model)
    store.register(connection, spec, trained, digest, job.moment.to_pydatetime())
    text = card.write(spec, trained)
    (folder / f"{spec.name}.md").write_text(text, encoding="utf-8")
    return ModelReport(
        spec.name,
        "promoted" if trained.promoted else "kept",
        trained.verdict,
        metrics=trained.metrics["holdout"],
        baselines=trained.baselines,
        rows=_count(labelled),
    )


def _count(labelled: pd.DataFrame | None) -> int:
    return 0 if labelled is None else len(labelled)


def _predict(job: _Job, report: ModelReport, outcomes: int) -> ModelReport:
    connection, spec = job.connection, job.spec
    active = store.active(connection, spec)
    if active is None:
        sentence = f"{report.sentence} No model is active, so nothing is predicted."
        return _with(report, sentence=sentence, new_outcomes=outcomes)
    model = artefact.load(job.folder, active.fingerprint, active.digest, active.libraries)
    rows = to_score(spec, job.frame, job.moment)
    predicted = predict(spec, model, rows)
    new = store.log_predictions(
        connection, spec, active.fingerprint, predicted, job.moment.to_pydatetime()
    )
    measured = drift(spec, model, rows)
    store.log_drift(connection, active.model_id, measured, job.moment.to_pydatetime())
    moved = {one.feature: one.psi for one in measured if one.has_moved}
    kept = report.status in ("kept", "too_few_data")
    parts = [
        report.sentence,
        "The earlier model stays active." if kept else "",
        f"{len(rows)} {spec.entity}s scored.",
        _told(moved),
    ]
    return _with(
        report,
        sentence=" ".join(part for part in parts if part),
        active_model_id=str(active.model_id),
        predictions=len(rows),
        new_predictions=new,
        new_outcomes=outcomes,
        drifted=moved,
    )


def _told(moved: Mapping[str, float]) -> str:
    if not moved:
        return ""
    furthest = sorted(moved.items(), key=lambda found: (-found[1], found[0]))
    named = [f"{name} ({psi:.2f})" for name, psi in furthest[:TOLD]]
    if more := len(moved) - len(named):
        named.append(f"{more} more in ops.model_drift")
    return f"Moved away from the training rows (stability index): {', '.join(named)}."


def to_score(spec: ModelSpec, frame: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """The rows to predict: outcome (if any) still to come, newest as-of time of each entity."""
    to_come = frame[KNOWN] > moment + pd.Timedelta(hours=spec.grace_hours)
    rows = frame[to_come] if spec.outcomes_table else frame
    if spec.scores_newest_only:
        rows = rows[rows[AS_OF] == frame[AS_OF].max()]
    rows = rows.sort_values([AS_OF, TENANT, ENTITY], kind="stable")
    return rows.drop_duplicates([TENANT, ENTITY], keep="last").reset_index(drop=True)


def _with(report: ModelReport, **changes: Any) -> ModelReport:
    return ModelReport(**{**report.__dict__, **changes})
