"""What a series has shown by as-of time: the columns that every forecast stands on.

All of it comes from labels that were known at the row's own as-of time (rule 80), of the same tenant
and entity. Belongs here: looking back. Does not belong here: estimating (``tasks.forecast``).
"""

from __future__ import annotations

import pandas as pd

from ml.common.spec import AS_OF, ENTITY, KNOWN, LABEL, TENANT, Feature, ModelSpec, Season

SEASONAL, NEWEST, RECENT, LEVEL = "seasonal_value", "newest_change", "recent_change", "level"
RECENT_COUNT = 4
SEASONS_BACK = 4
_SERIES = [TENANT, ENTITY]

_WHY = "known at as-of time by construction: a label of the same series that was over by then"
FEATURES = (
    Feature(SEASONAL, "{value} a season earlier", may_dominate=_WHY),
    Feature(NEWEST, "the newest value is {value} above its season's", may_dominate=_WHY),
    Feature(RECENT, "the last values are {value} above their season's", may_dominate=_WHY),
    Feature(LEVEL, "{value} on average so far", may_dominate=_WHY),
)


def look_back(spec: ModelSpec, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a season behind them, with the columns of ``FEATURES``.

    seasonal_value: the label one season earlier, or as many seasons as it takes for it to be known.
    newest_change, recent_change: of labels known, the newest and the mean of the last four, each less
    the label of a season before it. level: mean size of all labels known.
    """
    assert spec.season is not None
    rows = frame.drop(columns=[f.name for f in FEATURES], errors="ignore").reset_index(drop=True)
    told = rows.loc[rows[LABEL].notna(), [*_SERIES, AS_OF, KNOWN, LABEL]]
    rows[SEASONAL] = _seasons_ago(rows, told, spec.season)
    return _last_known(rows, _changes(told, spec.season)).dropna(subset=[SEASONAL, LEVEL])


def _seasons_ago(rows: pd.DataFrame, told: pd.DataFrame, season: Season) -> pd.Series:
    """The newest label that lies whole seasons back and was known at the row's as-of time."""
    found = pd.Series(float("nan"), index=rows.index)
    known = told.set_index([*_SERIES, AS_OF])
    for count in range(1, SEASONS_BACK + 1):
        step = pd.DateOffset(days=season.days * count, months=season.months * count)
        then = pd.MultiIndex.from_arrays([rows[TENANT], rows[ENTITY], rows[AS_OF] - step])
        earlier = known.reindex(then)
        fits = earlier[KNOWN].to_numpy() <= rows[AS_OF].to_numpy()
        found = found.fillna(earlier[LABEL].where(fits).set_axis(rows.index))
    return found


def _changes(told: pd.DataFrame, season: Season) -> pd.DataFrame:
    """Of each label, in the order in which they became known: its change and the level by then."""
    told = told.sort_values([KNOWN, AS_OF], kind="stable").reset_index(drop=True)
    told[NEWEST] = told[LABEL] - _seasons_ago(told, told, season)
    series = told.groupby(_SERIES, sort=False)
    told[RECENT] = series[NEWEST].transform(
        lambda changes: changes.rolling(RECENT_COUNT, min_periods=1).mean()
    )
    told[LEVEL] = (
        told[LABEL]
        .abs()
        .groupby([told[TENANT], told[ENTITY]])
        .transform(lambda sizes: sizes.expanding().mean())
    )
    told[LEVEL] = told[LEVEL].where(told[LEVEL] > 0)
    return told[[*_SERIES, KNOWN, NEWEST, RECENT, LEVEL]]


def _last_known(rows: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Each row with what its series' newest known label says, in the rows' own order."""
    order = rows.index
    joined = pd.merge_asof(
        rows.assign(_row=order).sort_values(AS_OF, kind="stable"),
        changes.rename(columns={KNOWN: "_known"}),
        left_on=AS_OF,
        right_on="_known",
        by=_SERIES,
    )
    return joined.set_index("_row").loc[order].drop(columns="_known").rename_axis(None)
