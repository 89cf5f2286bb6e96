"""Model cards: text made of what the code produced, and nothing else."""

from __future__ import annotations

from typing import Any

from ml.common.spec import ModelSpec
from ml.common.tasks import task_of
from ml.common.training import Training


def write(spec: ModelSpec, trained: Training) -> str:
    """The card of one candidate, as Markdown; ``spec`` as prepared."""
    return _of_training(spec, trained) if spec.learns else _of_rule(spec, trained)


def _of_rule(spec: ModelSpec, trained: Training) -> str:
    rule = spec.scorecard
    assert rule is not None
    lines = [
        *_head(spec, trained),
        f"- The rule: {rule.base:g} points and what `{rule.points.__module__}."
        f"{rule.points.__name__}` adds or takes, from {rule.low:g} to {rule.high:g}",
        "",
        "## Features",
        "",
        *_table(("feature", "kind"), [(f"`{f.name}`", f.kind) for f in spec.features]),
        "",
        *_fingerprints(trained),
    ]
    return "\n".join(lines)


def _of_training(spec: ModelSpec, trained: Training) -> str:
    task = task_of(spec)
    metrics, baselines = trained.metrics, trained.baselines
    holdout, unseen = metrics["holdout"], metrics["unseen_tenants"]
    compared = {"model": holdout, **baselines}
    alone = metrics[f"{task.alone}_of_each_feature_alone"]
    lines = [
        *_head(spec, trained),
        "",
        "## Held-out window",
        "",
        *_scores(task.figures, compared),
        "",
        task.baselines_in_words(baselines),
        "",
        "### Calibration",
        "",
        *_table(
            task.calibration_heads,
            [
                (row["rows"], row["predicted"], row["observed"], row["low"], row["high"])
                for row in holdout["calibration"]
            ],
        ),
        "",
        "## Validation folds (choosing the algorithm)",
        "",
        *_scores(task.figures, metrics["validation"]["candidates"]),
        "",
        "Newest validation fold, tenants the model has never seen: "
        + ", ".join(f"{name} {unseen.get(figure)}" for name, figure in task.headline)
        + ".",
        "",
        "## Features",
        "",
        *_table(
            ("feature", "kind", f"{task.strength} alone (validation)"),
            [(f"`{f.name}`", f.kind, alone.get(f.name)) for f in spec.features],
        ),
        "",
        *_fingerprints(trained),
    ]
    return "\n".join(lines)


def _head(spec: ModelSpec, trained: Training) -> list[str]:
    parameters = trained.parameters
    held = parameters.get("holdout_from")
    return [
        f"# {spec.name}, version {spec.version}",
        "",
        spec.question,
        "",
        f"- Verdict: {trained.verdict}",
        f"- Trained on: {trained.window}",
        f"- Algorithm: {parameters['algorithm']}, seed {parameters['seed']}",
        *([f"- Held out: rows as of {held} and later, scored once"] if held else []),
        f"- Libraries: {', '.join(parameters['libraries'])}",
        f"- Bands: {_bands(spec)}",
    ]


def _fingerprints(trained: Training) -> list[str]:
    components = sorted(trained.parameters["components"].items())
    return ["## Fingerprints", "", *(f"- {name}: `{value}`" for name, value in components), ""]


def _bands(spec: ModelSpec) -> str:
    if not spec.bands:
        return "none"
    *lower, last = spec.bands
    return ", ".join(
        [*(f"{band.name} below {band.below:g}" for band in lower), f"{last.name} above"]
    )


def _scores(figures: tuple[str, ...], compared: dict[str, dict[str, Any]]) -> list[str]:
    rows = [(name, *(scores.get(f) for f in figures)) for name, scores in compared.items()]
    return _table(("", *figures), rows)


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in shown),
    ]
