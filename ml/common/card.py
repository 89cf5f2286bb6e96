"""Model cards: text made of what the code produced, and nothing else."""

from __future__ import annotations

from typing import Any

from ml.common.spec import ModelSpec
from ml.common.training import Training

_SCORES = ("rows", "positives", "brier", "log_loss", "auc", "average_precision")


def write(spec: ModelSpec, trained: Training) -> str:
    """The card of one candidate, as Markdown."""
    metrics, baselines, parameters = trained.metrics, trained.baselines, trained.parameters
    holdout, unseen = metrics["holdout"], metrics["unseen_tenants"]
    compared = {"model": holdout, **baselines}
    lines = [
        f"# {spec.name}, version {spec.version}",
        "",
        spec.question,
        "",
        f"- Verdict: {trained.verdict}",
        f"- Trained on: {trained.window}",
        f"- Algorithm: {parameters['algorithm']}, seed {parameters['seed']}",
        f"- Held out: rows as of {parameters['holdout_from']} and later, scored once",
        f"- Libraries: {', '.join(parameters['libraries'])}",
        f"- Bands: {_bands(spec)}",
        "",
        "## Held-out window",
        "",
        *_table(("", *_SCORES), [(name, *_figures(scores)) for name, scores in compared.items()]),
        "",
        f"The rule: `{baselines['one_variable_rule']['rule']}`. The base rate: "
        f"{baselines['base_rate']['rate']:.4f}.",
        "",
        "### Calibration",
        "",
        *_table(
            ("rows", "mean predicted", "observed", "90 % low", "90 % high"),
            [
                (row["rows"], row["predicted"], row["observed"], row["low"], row["high"])
                for row in holdout["calibration"]
            ],
        ),
        "",
        "## Validation folds (choosing the algorithm)",
        "",
        *_table(
            ("", *_SCORES),
            [
                (name, *_figures(scores))
                for name, scores in metrics["validation"]["candidates"].items()
            ],
        ),
        "",
        "Newest validation fold, tenants the model has never seen: "
        f"AUC {unseen.get('auc')}, Brier {unseen.get('brier')}.",
        "",
        "## Features",
        "",
        *_table(
            ("feature", "kind", "AUC alone (validation)"),
            [
                (f"`{f.name}`", f.kind, metrics["auc_of_each_feature_alone"][f.name])
                for f in spec.features
            ],
        ),
        "",
        "## Fingerprints",
        "",
        *(f"- {name}: `{value}`" for name, value in sorted(parameters["components"].items())),
        "",
    ]
    return "\n".join(lines)


def _bands(spec: ModelSpec) -> str:
    return ", ".join(
        f"{band.name} below {band.below:g}" if band.below <= 1 else f"{band.name} above"
        for band in spec.bands
    )


def _figures(scores: dict[str, Any]) -> list[Any]:
    return [scores.get(name) for name in _SCORES]


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in shown),
    ]
