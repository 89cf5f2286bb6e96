"""How well predictions agree with what happened. Pure arithmetic on two arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

BINS = 10
ROWS_PER_BIN = 40  # the least that a 90 % interval of single errors can be read from
_Z90 = 1.6448536269514722


def of_chances(outcomes: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Brier score, log loss, AUC, average precision and calibration; unknown figures are None."""
    both = len(np.unique(outcomes)) == 2
    return {
        "rows": len(outcomes),
        "positives": int(outcomes.sum()),
        "brier": _round(brier_score_loss(outcomes, probabilities)),
        "log_loss": _round(log_loss(outcomes, probabilities, labels=[0, 1])),
        "auc": _round(roc_auc_score(outcomes, probabilities)) if both else None,
        "average_precision": _round(average_precision_score(outcomes, probabilities))
        if both
        else None,
        "calibration_error": _round(calibration_error(outcomes, probabilities)),
    }


def calibration(outcomes: np.ndarray, probabilities: np.ndarray) -> list[dict[str, float]]:
    """Equal-sized bins of rising probability: mean predicted, observed rate, 90 % interval."""
    order = np.argsort(probabilities, kind="stable")
    table = []
    for part in np.array_split(order, min(BINS, len(order))):
        low, high = wilson(int(outcomes[part].sum()), len(part))
        table.append(
            {
                "rows": len(part),
                "from": _round(float(probabilities[part].min())),
                "predicted": _round(float(probabilities[part].mean())),
                "observed": _round(float(outcomes[part].mean())),
                "low": _round(low),
                "high": _round(high),
            }
        )
    return table


def of_amounts(outcomes: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """RMSE, mean absolute error, bias (mean of predicted less observed), R²; None where unknown."""
    errors = values - outcomes
    variance = float(np.var(outcomes))
    return {
        "rows": len(outcomes),
        "rmse": _round(np.sqrt(np.mean(errors**2))),
        "mae": _round(np.mean(np.abs(errors))),
        "bias": _round(np.mean(errors)),
        "r2": _round(1 - np.mean(errors**2) / variance) if variance else None,
    }


def errors_by_prediction(outcomes: np.ndarray, values: np.ndarray) -> list[dict[str, float]]:
    """Bins of rising prediction: means, and between which errors nine of ten outcomes lay.

    low, high: what has to be added to a prediction (the next error outwards, so that nine of ten is
    not less for few rows).
    """
    order = np.argsort(values, kind="stable")
    table = []
    for part in np.array_split(order, max(1, min(BINS, len(order) // ROWS_PER_BIN))):
        errors = outcomes[part] - values[part]
        table.append(
            {
                "rows": len(part),
                "from": _round(values[part].min()),
                "predicted": _round(values[part].mean()),
                "observed": _round(outcomes[part].mean()),
                "low": _round(np.quantile(errors, 0.05, method="lower")),
                "high": _round(np.quantile(errors, 0.95, method="higher")),
            }
        )
    return table


def calibration_error(outcomes: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean distance between predicted and observed over the bins, weighted by rows."""
    table = calibration(outcomes, probabilities)
    total = sum(row["rows"] for row in table)
    return sum(abs(row["predicted"] - row["observed"]) * row["rows"] for row in table) / total


def wilson(successes: int, rows: int) -> tuple[float, float]:
    """Wilson's 90 % interval for a rate; (0, 1) when there is nothing to go by."""
    if rows == 0:
        return 0.0, 1.0
    rate = successes / rows
    centre = rate + _Z90**2 / (2 * rows)
    spread = _Z90 * np.sqrt(rate * (1 - rate) / rows + _Z90**2 / (4 * rows**2))
    scale = 1 + _Z90**2 / rows
    return float(max(0.0, (centre - spread) / scale)), float(min(1.0, (centre + spread) / scale))


def _round(value: float) -> float:
    return round(float(value), 6)
