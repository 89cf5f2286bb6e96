"""Training one model: check, split, choose, judge once, refit. Pure: a frame in, a verdict out.

Does not belong here: reading features, keeping artefacts, writing tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ml.common import fingerprint, leakage
from ml.common.estimators import Candidate
from ml.common.model import TrainedModel, typical_values
from ml.common.spec import AS_OF, ENTITY, KNOWN, LABEL, TENANT, ModelSpec
from ml.common.splits import Fold, Splits, forward
from ml.common.tasks import task_of

REFERENCE_ROWS = 2_000


@dataclass(frozen=True)
class Training:
    """A trained candidate beside its baselines, and whether it may replace what is active."""

    model: TrainedModel
    promoted: bool
    verdict: str
    metrics: dict[str, Any]
    baselines: dict[str, Any]
    parameters: dict[str, Any]
    window: str


def prepare(spec: ModelSpec, frame: pd.DataFrame) -> tuple[ModelSpec, pd.DataFrame]:
    """The description and the rows as its task learns and predicts from them."""
    return task_of(spec).prepare(spec, frame) if spec.learns else (spec, frame)


def labelled_rows(spec: ModelSpec, frame: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Rows whose label window was over by ``as_of`` (rule 81), in one fixed order."""
    known = frame[frame[LABEL].notna() & (frame[KNOWN] <= as_of)]
    ordered = known.sort_values([AS_OF, TENANT, ENTITY], kind="stable").reset_index(drop=True)
    return ordered.assign(**{LABEL: task_of(spec).labels(spec, ordered[LABEL])})


def components_of(spec: ModelSpec, labelled: pd.DataFrame | None) -> dict[str, str]:
    """What an artefact is known by: data (a rule has none), code, features, seed."""
    return {
        "data": "none" if labelled is None else fingerprint.of_frame(labelled),
        "code": fingerprint.of_code(),
        "features": fingerprint.of_spec(spec),
        "seed": str(spec.seed),
    }


def fingerprint_of(components: dict[str, str]) -> str:
    """The artefact's name."""
    return fingerprint.digest(*(f"{k}={components[k]}" for k in sorted(components)))


@threadpool_limits.wrap(
    limits=1
)  # sums come out the same everywhere; a busy machine is not stalled
def train(spec: ModelSpec, frame: pd.DataFrame, as_of: pd.Timestamp) -> Training:
    """Train and judge ``spec`` on ``frame`` (keys, features, ``label``, ``label_known_at``).

    Both come from ``prepare``. Raises ``LeakageError`` when a column comes from the future,
    ``LabelError`` when an outcome is impossible, ``TooFewData`` when there is too little to learn from.
    """
    task = task_of(spec)
    leakage.check_columns(spec, frame)
    labelled = labelled_rows(spec, frame, as_of)
    splits = forward(spec, task, labelled)
    leakage.check_live_edge(spec, labelled, _open_rows(frame, labelled))
    alone = leakage.check_power(spec, labelled, splits)
    chosen, validation, outcomes, guesses = _choose(spec, labelled, splits)
    metrics: dict[str, Any] = {
        "validation": validation,
        "unseen_tenants": _unseen_tenants(spec, chosen, labelled, splits),
        f"{task.alone}_of_each_feature_alone": {k: round(v, 4) for k, v in alone.items()},
    }
    holdout, baselines, calibration = _judge(spec, chosen, labelled, splits.holdout)
    metrics["holdout"] = {**holdout, "calibration": calibration}
    promoted, verdict = _verdict(spec, holdout, baselines)
    components = components_of(spec, labelled)
    model = TrainedModel(
        fingerprint=fingerprint_of(components),
        components=components,
        algorithm=chosen.name,
        estimator=task.fit(spec, chosen.build(spec), labelled),
        typical=typical_values(spec, labelled),
        calibration=task.calibration(outcomes, guesses),
        spread=task.spread(labelled[LABEL]),
        reference=_reference(spec, labelled),
    )
    parameters = {
        "algorithm": chosen.name,
        **chosen.parameters,
        "seed": spec.seed,
        "features": list(spec.feature_names),
        "holdout_from": splits.holdout.starts_at.isoformat(),
        "components": components,
        "libraries": list(fingerprint.libraries()),
    }
    window = f"{spec.features_table}, {_window(labelled)}"
    return Training(model, promoted, verdict, metrics, baselines, parameters, window)


def by_rule(spec: ModelSpec, frame: pd.DataFrame) -> Training:
    """A score's rule as a model: nothing is trained or judged. Raises ``LeakageError``."""
    leakage.check_columns(spec, frame)
    components = components_of(spec, None)
    model = TrainedModel(fingerprint_of(components), components, algorithm="rule")
    parameters = {
        "algorithm": model.algorithm,
        "seed": spec.seed,
        "features": list(spec.feature_names),
        "components": components,
        "libraries": list(fingerprint.libraries()),
    }
    verdict = f"{spec.name} is a rule: nothing was trained and nothing had to be beaten."
    return Training(model, True, verdict, {"holdout": {}}, {}, parameters, "no data: a rule")


def _open_rows(frame: pd.DataFrame, labelled: pd.DataFrame) -> pd.DataFrame:
    newest = labelled[AS_OF].max()
    return frame[(frame[AS_OF] > newest) & frame[LABEL].isna()]


def _choose(
    spec: ModelSpec, labelled: pd.DataFrame, splits: Splits
) -> tuple[Candidate, dict[str, Any], np.ndarray, np.ndarray]:
    """The candidate that does best over the validation folds; ties: the simpler one."""
    task = task_of(spec)
    table: dict[str, Any] = {}
    guesses: dict[str, np.ndarray] = {}
    for candidate in task.candidates():
        outcomes, guesses[candidate.name] = task.pooled(
            spec, candidate.build, labelled, splits.validation
        )
        table[candidate.name] = task.score(outcomes, guesses[candidate.name])
    best = min(task.candidates(), key=lambda candidate: table[candidate.name][task.choosing])
    return best, {"chosen": best.name, "candidates": table}, outcomes, guesses[best.name]


def _unseen_tenants(
    spec: ModelSpec, chosen: Candidate, labelled: pd.DataFrame, splits: Splits
) -> dict[str, Any]:
    """The newest validation fold again, each half of the tenants scored without their own past."""
    task, fold = task_of(spec), splits.validation[-1]
    half = labelled[TENANT].map(lambda tenant: int(fingerprint.digest(str(tenant))[:8], 16) % 2)
    outcomes, guesses = [], []
    for side in (0, 1):
        train = labelled.iloc[fold.train][half.iloc[fold.train] != side]
        test = labelled.iloc[fold.test][half.iloc[fold.test] == side]
        if not task.can_learn_from(train[LABEL]) or test.empty:
            continue
        model = task.fit(spec, chosen.build(spec), train)
        outcomes.append(test[LABEL].to_numpy())
        guesses.append(task.score_rows(spec, model, test))
    if not outcomes:
        return {}
    return task.score(np.concatenate(outcomes), np.concatenate(guesses))


def _judge(
    spec: ModelSpec, chosen: Candidate, labelled: pd.DataFrame, fold: Fold
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, float]]]:
    """The one look at the held-out fold: the chosen model and its baselines."""
    task = task_of(spec)
    train, test = labelled.iloc[fold.train], labelled.iloc[fold.test]
    outcomes = test[LABEL].to_numpy()
    guess = task.score_rows(spec, task.fit(spec, chosen.build(spec), train), test)
    baselines = task.baselines(spec, train, test)
    return task.score(outcomes, guess), baselines, task.calibration(outcomes, guess)


def _verdict(
    spec: ModelSpec, holdout: dict[str, Any], baselines: dict[str, Any]
) -> tuple[bool, str]:
    """Rule 83: the judging figure has to be better than every baseline's."""
    task = task_of(spec)
    better = holdout[task.judging] < min(figures[task.judging] for figures in baselines.values())
    words = task.figures_in_words(holdout, baselines)
    figures = f"{words}, on {holdout['rows']} held-out rows"
    if better:
        return True, f"{spec.name} beats its baselines: {figures}."
    return False, f"{spec.name} does not beat its baselines and is not promoted: {figures}."


def _reference(spec: ModelSpec, labelled: pd.DataFrame) -> pd.DataFrame:
    """Rows drawn at random, the same each time: every n-th row would be the same entities week after week."""
    rows = labelled[list(spec.feature_names)]
    if len(rows) > REFERENCE_ROWS:
        rows = rows.sample(n=REFERENCE_ROWS, random_state=spec.seed).sort_index()
    return rows.reset_index(drop=True)


def _window(labelled: pd.DataFrame) -> str:
    first, last = labelled[AS_OF].min(), labelled[AS_OF].max()
    return f"as of {first:%Y-%m-%d} to {last:%Y-%m-%d}, {len(labelled)} rows"
