"""Training and predicting by `ml`, of all models or of those that have something new to read.

Belongs here: which models have their turn, and that it is remembered. Does not belong here: how they
learn (`ml`).
"""

from collections.abc import Collection
from typing import Any

import psycopg

from app import build_ledger, run_log
from app.build_ledger import TRAINING
from app.build_plan import INSTANT, Held, fingerprint
from tallyhouse.database import Warehouse
from tallyhouse.progress import Step
from tallyhouse.settings import Settings

FEATURES = "model.tallyhouse."  # begins dbt's ids of features and outcomes


def train(
    settings: Settings,
    warehouse: Warehouse,
    progress: Step | None = None,
    *,
    only: Collection[str] | None = None,
    only_due: bool = False,
) -> list[str]:
    """Train what has something new to learn from, predict, log the predictions; says what came of it.

    `only` names the models that are asked for, all by default. With `only_due`, a model is left out
    when its code, its features and outcomes and `as_of` are those of its last turn.
    """
    from ml.discovery import find_specs
    from ml.run import train_and_predict

    with warehouse.connect(autocommit=True) as connection:
        known = build_ledger.held(connection)
        now = {
            spec.name: _now(settings, connection, spec, known)
            for spec in find_specs()
            if only is None or spec.name in only
        }
        due = {
            name
            for name, wanted in now.items()
            if not only_due or wanted is None or known.get(f"{TRAINING}{name}") != wanted
        }
        sentences = [
            f"{name}: left out, nothing that it learns from has changed."
            for name in now.keys() - due
        ]
        if due:
            report = train_and_predict(
                settings, warehouse.connect, settings.as_of, progress, only=due
            )
            sentences += report.sentences
        for name in due:
            if (wanted := now[name]) is not None:
                build_ledger.record(connection, f"{TRAINING}{name}", wanted)
    return sorted(sentences)


def _now(
    settings: Settings, connection: psycopg.Connection[Any], spec: Any, known: dict[str, Held]
) -> Held | None:
    """What a model's turn would start from; None when nobody knows what its tables hold."""
    tables = [table for table in (spec.features_table, spec.outcomes_table) if table]
    read = [known.get(FEATURES + table.split(".")[-1]) for table in tables]
    if any(held is None or held.inputs is None for held in read):
        return None
    moment = build_ledger.moments(connection, settings.as_of)[INSTANT]
    return Held(
        fingerprint(
            run_log.digest(settings.root, run_log.LEARNING),
            run_log.version("scikit-learn"),
        ),
        fingerprint(moment, *(f"{held.code} {held.inputs}" for held in read if held)),
    )
