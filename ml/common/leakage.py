"""Refuses columns that come from the future.

Three checks, none of which looks at the held-out fold:
1. every column is declared in the model's description, and none is an instant;
2. no column alone foretells the outcome nearly perfectly, nor does the model collapse without it;
3. no column stops varying exactly where the future begins (among rows whose outcome is not known
   yet), as one computed from the outcome's own time would.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ml.common.errors import LeakageError
from ml.common.spec import AS_OF, KEYS, KNOWN, LABEL, Feature, ModelSpec
from ml.common.splits import Splits
from ml.common.tasks import task_of

SILENT_CHANCE = 1e-6


def check_columns(spec: ModelSpec, frame: pd.DataFrame) -> None:
    """Check 1. Raises ``LeakageError`` for undeclared columns and instants, ``KeyError``-free."""
    known = {*KEYS, LABEL, KNOWN, *spec.feature_names}
    undeclared = sorted(set(frame.columns) - known)
    if undeclared:
        raise LeakageError(
            f"The leakage check of {spec.name} failed: {', '.join(undeclared)} of "
            f"{spec.features_table} is not declared in the model's description, so nobody vouches "
            "that it was known at as-of time. Declare it in ml/ with its meaning, or drop it."
        )
    missing = sorted(set(spec.feature_names) - set(frame.columns))
    if missing:
        raise LeakageError(
            f"{spec.features_table} lacks {', '.join(missing)}, which {spec.name} is declared to "
            "use. Build the features again (tallyhouse build) or correct the declaration."
        )
    for name in spec.feature_names:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            raise LeakageError(
                f"The leakage check of {spec.name} failed: {name} is an instant. Give the model "
                "the time that had passed at as-of time instead."
            )


def check_power(spec: ModelSpec, labelled: pd.DataFrame, splits: Splits) -> dict[str, float]:
    """Check 2. Gives what each column tells alone on the validation folds; raises ``LeakageError``."""
    task = task_of(spec)
    declared = task.declared(spec)
    alone = {
        feature.name: task.power_alone(spec, feature, labelled, splits.validation)
        for feature in declared
    }
    for feature in declared:
        if alone[feature.name] >= task.perfect and not feature.may_dominate:
            figures = f"{task.strength} {alone[feature.name]:.3f} alone"
            raise LeakageError(_too_good(spec, feature, figures))
    if len(spec.features) == 1 or not declared:
        return alone
    strongest = max(declared, key=lambda feature: alone[feature.name])
    if alone[strongest.name] >= task.strong and not strongest.may_dominate:
        others = tuple(feature for feature in spec.features if feature is not strongest)
        whole = task.power_of_all(spec, labelled, splits.validation)
        rest = task.power_of_all(replace(spec, features=others), labelled, splits.validation)
        if whole - rest >= task.collapse:
            figures = f"{task.strength} {whole:.3f} with it, {rest:.3f} without it"
            raise LeakageError(_too_good(spec, strongest, figures))
    return alone


def check_live_edge(spec: ModelSpec, labelled: pd.DataFrame, open_rows: pd.DataFrame) -> None:
    """Check 3. ``open_rows``: rows whose outcome is not known yet. Raises ``LeakageError``.

    A column that also stood still in an earlier stretch of the same length (a month, a season) is
    slow, not leaking.
    """
    if open_rows.empty:
        return
    stretch = _stretches(labelled, open_rows)
    for feature in spec.features:
        now = _texts(open_rows[feature.name])
        if now.nunique() != 1:
            continue
        before = _texts(labelled[feature.name])
        share = float((before == now.iloc[0]).mean())
        stood_still = (before.groupby(stretch).nunique() == 1).any()
        if share ** len(now) < SILENT_CHANCE and not stood_still:
            raise LeakageError(
                f"The leakage check of {spec.name} failed: {feature.name} is {now.iloc[0]!r} for "
                f"all {len(now)} rows whose outcome is still open, but for only {share:.0%} of the "
                "others. Either it is computed from the outcome's own time, or its source has "
                "fallen silent. Mend the feature or the source; the active model stays."
            )


def _stretches(labelled: pd.DataFrame, open_rows: pd.DataFrame) -> pd.Series:
    """Number of the stretch of time a labelled row lies in, each as long as the open one."""
    length = max(open_rows[AS_OF].max() - open_rows[AS_OF].min(), pd.Timedelta(days=1))
    return (labelled[AS_OF] - labelled[AS_OF].min()) // length


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "missing").map(str)


def _too_good(spec: ModelSpec, feature: Feature, figures: str) -> str:
    return (
        f"The leakage check of {spec.name} failed: {feature.name} foretells the outcome too well "
        f"({figures} on the validation folds), so it most likely comes from the future. Compute it "
        "from records received by as-of time only; if it truly was known, say why in the feature's "
        "may_dominate."
    )
