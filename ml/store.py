"""Features in, registry and prediction log out: the only module of ``ml`` that speaks SQL.

Does not belong here: anything that decides. Table names come from the model descriptions, never
from input.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ml.common.drift import Drift
from ml.common.spec import AS_OF, ENTITY, KNOWN, LABEL, TENANT, ModelSpec
from ml.common.training import Training

JOINED = (
    "select f.*, o.label, o.label_known_at from {features} as f "
    "left join {outcomes} as o using (tenant_id, {entity}, as_of_at) where f.as_of_at <= %s"
)
ALONE = (
    "select f.*, cast(null as float) as label, cast(null as timestamptz) as label_known_at "
    "from {features} as f where f.as_of_at <= %s"
)
_NAMESPACE = uuid.UUID("6f1f3a52-6d0e-5a3c-9b1e-3d5c2f6f7a10")


@dataclass(frozen=True)
class Registered:
    """One row of the registry, as far as prediction needs it."""

    model_id: uuid.UUID
    fingerprint: str
    digest: str
    libraries: tuple[str, ...]
    is_active: bool
    is_promoted: bool
    verdict: str
    metrics: dict[str, Any]
    baselines: dict[str, Any]


def newest_receipt(connection: psycopg.Connection) -> pd.Timestamp | None:
    """The warehouse's clock: the newest ``received_at`` loaded; None when nothing is."""
    row = connection.execute(
        "select max(coalesce(max_received_at, max_claimed_at)) from ops.source_watermarks"
    ).fetchone()
    return pd.Timestamp(row[0]).tz_convert("UTC") if row and row[0] else None


def missing_tables(connection: psycopg.Connection, spec: ModelSpec) -> list[str]:
    """Which of the model's tables have not been built."""
    names = (spec.features_table, spec.outcomes_table)
    return [
        name
        for name in names
        if name and connection.execute("select to_regclass(%s)", [name]).fetchone() == (None,)
    ]


def read_features(connection: psycopg.Connection, spec: ModelSpec, as_of: Any) -> pd.DataFrame:
    """All feature rows up to ``as_of`` with their outcomes: keys, features, label, label_known_at.

    Every column of the features table is read, so that an undeclared one is noticed.
    """
    query = sql.SQL(JOINED if spec.outcomes_table else ALONE).format(
        features=_relation(spec.features_table),
        outcomes=_relation(spec.outcomes_table),
        entity=sql.Identifier(spec.entity_column),
    )
    cursor = connection.execute(query, [as_of])
    names = [column.name for column in cursor.description or ()]
    frame = pd.DataFrame(cursor.fetchall(), columns=names, dtype=object)
    return _typed(spec, frame.rename(columns={spec.entity_column: ENTITY}))


def _relation(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _typed(spec: ModelSpec, frame: pd.DataFrame) -> pd.DataFrame:
    for name in (ENTITY, TENANT):
        frame[name] = frame[name].map(str)
    for name in (AS_OF, KNOWN):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    for name in (*spec.numbers, LABEL):
        if name in frame.columns:
            frame[name] = frame[name].astype(float)
    return frame


def registered(connection: psycopg.Connection, spec: ModelSpec, name: str) -> Registered | None:
    """The registry's row of a fingerprint."""
    return _one(connection, "fingerprint = %s and model_type = %s", [name, spec.name])


def active(connection: psycopg.Connection, spec: ModelSpec) -> Registered | None:
    """The model in use."""
    return _one(connection, "is_active and model_type = %s", [spec.name])


def _one(connection: psycopg.Connection, condition: str, values: list[str]) -> Registered | None:
    row = connection.execute(
        "select model_id, fingerprint, artefact_digest, parameters, is_active, is_promoted, "
        f"verdict, metrics, baseline_metrics from ml.predictive_models where {condition}",
        values,
    ).fetchone()
    if row is None:
        return None
    identity, name, digest, parameters, *rest = row
    return Registered(identity, name, digest, tuple(parameters["libraries"]), *rest)


def register(
    connection: psycopg.Connection, spec: ModelSpec, trained: Training, digest: str, as_of: Any
) -> None:
    """Enter a candidate; a promoted one takes the place of the active one."""
    if trained.promoted:
        connection.execute(
            "update ml.predictive_models set is_active = false "
            "where model_type = %s and is_active and fingerprint <> %s",
            [spec.name, trained.model.fingerprint],
        )
    connection.execute(
        "insert into ml.predictive_models (model_id, model_type, task, model_version, training_data, "
        "metrics, baseline_metrics, trained_at, is_active, is_promoted, verdict, parameters, "
        "fingerprint, artefact_digest) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
        "on conflict (fingerprint) do update set artefact_digest = excluded.artefact_digest, "
        "parameters = excluded.parameters, is_active = excluded.is_active",
        [
            model_id(trained.model.fingerprint),
            spec.name,
            spec.task,
            spec.version,
            trained.window,
            Jsonb(trained.metrics),
            Jsonb(trained.baselines),
            as_of,
            trained.promoted,
            trained.promoted,
            trained.verdict,
            Jsonb(trained.parameters),
            trained.model.fingerprint,
            digest,
        ],
    )


def model_id(fingerprint: str) -> uuid.UUID:
    """The id that belongs to a fingerprint."""
    return uuid.UUID(hex=fingerprint[:32])


def log_predictions(
    connection: psycopg.Connection,
    spec: ModelSpec,
    fingerprint: str,
    rows: pd.DataFrame,
    as_of: Any,
) -> int:
    """Append predictions; what is logged already is left alone. Gives how many are new."""
    if rows.empty:
        return 0
    model = model_id(fingerprint)
    values = [
        (
            uuid.uuid5(_NAMESPACE, f"{model}|{tenant}|{entity}|{at.isoformat()}"),
            *(model, spec.entity, entity, tenant, at.to_pydatetime(), spec.prediction_type),
            *(value, low, high, band, Jsonb(reasons), print_, as_of),
        )
        for entity, tenant, at, value, low, high, band, reasons, print_ in zip(
            *(rows[name] for name in (ENTITY, TENANT, AS_OF, "predicted_value")),
            *(rows[name] for name in ("confidence_low", "confidence_high", "risk_band")),
            *(rows[name] for name in ("reasons", "feature_fingerprint")),
            strict=True,
        )
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ml.predictions (prediction_id, model_id, target_entity, "
            "target_entity_id, tenant_id, as_of_at, prediction_type, predicted_value, "
            "confidence_low, confidence_high, risk_band, reasons, feature_fingerprint, "
            "prediction_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "on conflict do nothing",
            values,
        )
        return max(cursor.rowcount, 0)


def log_drift(
    connection: psycopg.Connection, model: uuid.UUID, measured: Sequence[Drift], as_of: Any
) -> None:
    """Keep how far each feature has moved, one row a day (UTC): that of the newest ``as_of``."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ml.feature_drift as kept (model_id, feature_name, metric_date, measured_at, psi, "
            "psi_by_chance, has_moved, scored_rows, reference_rows) "
            "values (%s, %s, cast(%s at time zone 'UTC' as date), %s, %s, %s, %s, %s, %s) "
            "on conflict (model_id, feature_name, metric_date) do update set "
            "measured_at = excluded.measured_at, psi = excluded.psi, psi_by_chance = excluded.psi_by_chance, "
            "has_moved = excluded.has_moved, scored_rows = excluded.scored_rows, "
            "reference_rows = excluded.reference_rows where kept.measured_at <= excluded.measured_at",
            [
                (model, one.feature, as_of, as_of, one.psi, one.by_chance, one.has_moved, one.rows,
                 one.reference_rows)
                for one in measured
            ],
        )  # fmt: skip


def join_outcomes(connection: psycopg.Connection, spec: ModelSpec, as_of: Any) -> int:
    """Enter outcomes that have become known since. Gives how many."""
    if not spec.outcomes_table:
        return 0
    query = sql.SQL(
        "update ml.predictions as p set actual_outcome = o.label, "
        "outcome_known_at = o.label_known_at from {outcomes} as o "
        "where p.prediction_type = %s and p.actual_outcome is null and p.tenant_id = o.tenant_id "
        "and p.target_entity_id = cast(o.{entity} as text) and p.as_of_at = o.as_of_at "
        "and o.label is not null and o.label_known_at <= %s"
    ).format(outcomes=_relation(spec.outcomes_table), entity=sql.Identifier(spec.entity_column))
    return connection.execute(query, [spec.prediction_type, as_of]).rowcount
