"""Training one model: check, split, choose, judge once, refit. Pure: a frame in, a verdict out.

Does not belong here: reading features, keeping artefacts, writing tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ml.common import fingerprint, leakage, scores
from ml.common.estimators import Candidate, candidates, probabilities, stump
from ml.common.model import TrainedModel, typical_values
from ml.common.spec import AS_OF, ENTITY, KNOWN, LABEL, TENANT, ModelSpec
from ml.common.splits import Fold, Splits, forward

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


def labelled_rows(frame: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Rows whose label window was over by ``as_of`` (rule 81), in one fixed order."""
    known = frame[frame[LABEL].notna() & (frame[KNOWN] <= as_of)]
    ordered = known.sort_values([AS_OF, TENANT, ENTITY], kind="stable").reset_index(drop=True)
    return ordered.assign(**{LABEL: ordered[LABEL].astype(int)})


def components_of(spec: ModelSpec, labelled: pd.DataFrame) -> dict[str, str]:
    """What an artefact is known by: data, code, features, seed."""
    return {
        "data": fingerprint.of_frame(labelled),
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

    Raises ``LeakageError`` when a column comes from the future and ``TooFewData`` when there is too
    little to learn from.
    """
    leakage.check_columns(spec, frame)
    labelled = labelled_rows(frame, as_of)
    splits = forward(spec, labelled)
    leakage.check_live_edge(spec, labelled, _open_rows(frame, labelled))
    alone = leakage.check_power(spec, labelled, splits)
    chosen, validation, outcomes, guesses = _choose(spec, labelled, splits)
    metrics: dict[str, Any] = {
        "validation": validation,
        "unseen_tenants": _unseen_tenants(spec, chosen, labelled, splits),
        "auc_of_each_feature_alone": {k: round(v, 4) for k, v in alone.items()},
    }
    holdout, baselines, calibration = _judge(spec, chosen, labelled, splits.holdout)
    metrics["holdout"] = {**holdout, "calibration": calibration}
    promoted, verdict = _verdict(spec, holdout, baselines)
    components = components_of(spec, labelled)
    model = TrainedModel(
        fingerprint=fingerprint_of(components),
        components=components,
        algorithm=chosen.name,
        estimator=_fit(spec, chosen.build(spec), labelled),
        typical=typical_values(spec, labelled),
        calibration=scores.calibration(outcomes, guesses),
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


def _open_rows(frame: pd.DataFrame, labelled: pd.DataFrame) -> pd.DataFrame:
    newest = labelled[AS_OF].max()
    return frame[(frame[AS_OF] > newest) & frame[LABEL].isna()]


def _fit(spec: ModelSpec, model: Pipeline, rows: pd.DataFrame) -> Pipeline:
    return model.fit(rows[list(spec.feature_names)], rows[LABEL].to_numpy())


def _score_rows(spec: ModelSpec, model: Pipeline, rows: pd.DataFrame) -> np.ndarray:
    return probabilities(model, rows[list(spec.feature_names)])


def _choose(
    spec: ModelSpec, labelled: pd.DataFrame, splits: Splits
) -> tuple[Candidate, dict[str, Any], np.ndarray, np.ndarray]:
    """The candidate with the least log loss over the validation folds; ties: the simpler one."""
    outcomes = np.concatenate([labelled[LABEL].to_numpy()[f.test] for f in splits.validation])
    table: dict[str, Any] = {}
    guesses: dict[str, np.ndarray] = {}
    for candidate in candidates():
        parts = []
        for fold in splits.validation:
            model = _fit(spec, candidate.build(spec), labelled.iloc[fold.train])
            parts.append(_score_rows(spec, model, labelled.iloc[fold.test]))
        guesses[candidate.name] = np.concatenate(parts)
        table[candidate.name] = scores.score(outcomes, guesses[candidate.name])
    best = min(candidates(), key=lambda candidate: table[candidate.name]["log_loss"])
    return best, {"chosen": best.name, "candidates": table}, outcomes, guesses[best.name]


def _unseen_tenants(
    spec: ModelSpec, chosen: Candidate, labelled: pd.DataFrame, splits: Splits
) -> dict[str, Any]:
    """The newest validation fold again, each half of the tenants scored without their own past."""
    fold = splits.validation[-1]
    half = labelled[TENANT].map(lambda tenant: int(fingerprint.digest(str(tenant))[:8], 16) % 2)
    outcomes, guesses = [], []
    for side in (0, 1):
        train = labelled.iloc[fold.train][half.iloc[fold.train] != side]
        test = labelled.iloc[fold.test][half.iloc[fold.test] == side]
        if train[LABEL].nunique() < 2 or test.empty:
            continue
        model = _fit(spec, chosen.build(spec), train)
        outcomes.append(test[LABEL].to_numpy())
        guesses.append(_score_rows(spec, model, test))
    if not outcomes:
        return {}
    return scores.score(np.concatenate(outcomes), np.concatenate(guesses))


def _judge(
    spec: ModelSpec, chosen: Candidate, labelled: pd.DataFrame, fold: Fold
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, float]]]:
    """The one look at the held-out fold: the chosen model and both baselines."""
    train, test = labelled.iloc[fold.train], labelled.iloc[fold.test]
    outcomes = test[LABEL].to_numpy()
    guess = _score_rows(spec, _fit(spec, chosen.build(spec), train), test)
    rate = float(train[LABEL].mean())
    rule = _fit(spec, stump(spec, max(20, len(train) // 100)), train)
    baselines = {
        "base_rate": {**scores.score(outcomes, np.full(len(test), rate)), "rate": round(rate, 6)},
        "one_variable_rule": {
            **scores.score(outcomes, _score_rows(spec, rule, test)),
            "rule": _words_of_rule(rule),
        },
    }
    return scores.score(outcomes, guess), baselines, scores.calibration(outcomes, guess)


def _words_of_rule(rule: Pipeline) -> str:
    tree = rule[-1].tree_
    if tree.node_count == 1:
        return "no column splits the outcomes"
    name = rule[0].get_feature_names_out()[tree.feature[0]].split("__", 1)[1]
    return f"{name} <= {tree.threshold[0]:.4g}"


def _verdict(
    spec: ModelSpec, holdout: dict[str, Any], baselines: dict[str, Any]
) -> tuple[bool, str]:
    """Rule 83: the Brier score has to be better than both baselines'."""
    base, rule = baselines["base_rate"]["brier"], baselines["one_variable_rule"]["brier"]
    better = holdout["brier"] < min(base, rule)
    figures = (
        f"Brier {holdout['brier']:.4f} against {base:.4f} (base rate) and {rule:.4f} (rule "
        f"{baselines['one_variable_rule']['rule']}), AUC {_shown(holdout['auc'])} against "
        f"{_shown(baselines['one_variable_rule']['auc'])}, on {holdout['rows']} held-out rows"
    )
    if better:
        return True, f"{spec.name} beats its baselines: {figures}."
    return False, f"{spec.name} does not beat its baselines and is not promoted: {figures}."


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _reference(spec: ModelSpec, labelled: pd.DataFrame) -> pd.DataFrame:
    step = max(1, len(labelled) // REFERENCE_ROWS)
    return labelled[list(spec.feature_names)].iloc[::step].reset_index(drop=True)


def _window(labelled: pd.DataFrame) -> str:
    first, last = labelled[AS_OF].min(), labelled[AS_OF].max()
    return f"as of {first:%Y-%m-%d} to {last:%Y-%m-%d}, {len(labelled)} rows"
