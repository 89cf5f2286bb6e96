"""Answers questions as `mf query` does, many in one process: JSON in, JSON out.

Belongs here: MetricFlow's engine on this project. Does not belong here: which questions (`test_semantic_layer`).

Standard input: [{"metrics": [...], "group_by": [...], "where": "..." or null}, ...]; standard output: for each question
its rows as lists of texts in the order of groups and metrics, nulls as null. A process of its own, because dbt keeps
adapters per process.
"""

import json
import sys
from typing import Any

from tallyhouse.metricflow import read_what_dbt_parsed
from tallyhouse.settings import Settings


def main() -> None:
    """Answer what standard input asks."""
    from dbt_metricflow.cli.cli_configuration import CLIConfiguration
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    read_what_dbt_parsed(Settings.from_env())
    engine = CLIConfiguration()
    engine.setup()
    answers = []
    for question in json.load(sys.stdin):
        request = MetricFlowQueryRequest.create(
            metric_names=question["metrics"],
            group_by_names=question["group_by"],
            where_constraints=[question["where"]] if question["where"] else None,
        )
        table = engine.mf.query(request).result_df
        assert table is not None
        # MetricFlow has an order of its own
        named = [*question["group_by"], *question["metrics"]]
        places = [table.column_names.index(name) for name in named]
        answers.append([[_text(row[place]) for place in places] for row in table.rows])
    json.dump(answers, sys.stdout)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


if __name__ == "__main__":
    main()
