"""How far the rows that a model scores have moved from the rows it learned from. Pure arithmetic.

Belongs here: the population stability index of each feature, and how much of it chance alone would give. Does not
belong here: keeping it (``ml.store``), deciding what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from ml.common.model import TrainedModel
from ml.common.spec import ModelSpec

BINS = 10
MOVED = 0.25  # from here on a population is commonly held to have moved
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Drift:
    """One feature's population stability index, 0 where nothing moved.

    by_chance: what 95 of 100 samples of this size, drawn from the training rows, stay below. rows: scored;
    reference_rows: of the training, at most 2,000.
    """

    feature: str
    psi: float
    by_chance: float
    rows: int
    reference_rows: int

    @property
    def has_moved(self) -> bool:
        """Moved by what is commonly held to matter, and by more than so few rows do by themselves."""
        return self.psi > max(MOVED, self.by_chance)


def drift(spec: ModelSpec, model: TrainedModel, rows: pd.DataFrame) -> list[Drift]:
    """Compare each feature of the rows scored with the training rows, in the order of the description.

    Numbers are counted by tenths of the training rows, categories by their values, unknown ones apart. Empty for
    a rule, which learned from nothing, and where nothing is scored.
    """
    reference = model.reference
    if reference.empty or rows.empty:
        return []
    found = []
    for name in spec.feature_names:
        bins = _by_tenths if name in spec.numbers else _by_value
        before, now = bins(reference[name], rows[name])
        found.append(
            Drift(
                feature=name,
                psi=round(population_stability(before, now), 4),
                by_chance=round(stability_by_chance(before, now), 4),
                rows=len(rows),
                reference_rows=len(reference),
            )
        )
    return found


def population_stability(before: np.ndarray, now: np.ndarray) -> float:
    """Population stability index of two rows of counts over the same bins.

    Half a row is added to each bin, so that an empty one has a logarithm.
    """
    shares = [(counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (before, now)]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def stability_by_chance(before: np.ndarray, now: np.ndarray) -> float:
    """The 95 % point of the index for two samples of these sizes from one population.

    The index of two such samples is near (1/n + 1/m) times a chi-square variable with one degree of freedom less
    than there are bins that hold anything.
    """
    used = int(np.count_nonzero(before + now))
    if used < 2:
        return 0.0
    return float(chi2.ppf(CONFIDENCE, used - 1) * (1 / before.sum() + 1 / now.sum()))


def _by_tenths(reference: pd.Series, current: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Counts between the deciles of the reference (equal ones once), and last of unknown values."""
    samples = [values.to_numpy(dtype=float) for values in (reference, current)]
    known = samples[0][~np.isnan(samples[0])]
    deciles = np.linspace(0, 1, BINS + 1)[1:-1] if len(known) else np.empty(0)
    edges = np.array([-np.inf, *np.unique(np.quantile(known, deciles)), np.inf])
    before, now = (
        np.append(np.histogram(sample[~np.isnan(sample)], bins=edges)[0], np.isnan(sample).sum())
        for sample in samples
    )
    return before, now


def _by_value(reference: pd.Series, current: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Counts of each value that either has, and last of unknown ones."""
    values = sorted({*reference.dropna(), *current.dropna()})
    before, now = (
        np.array([*(int((sample == value).sum()) for value in values), int(sample.isna().sum())])
        for sample in (reference, current)
    )
    return before, now
