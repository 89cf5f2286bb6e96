"""dbt as tests run it: the project is parsed once per session, and nothing is written that no test reads.

Parsing takes longer than building a handful of models, and dbt parses anew for each database,
because the database's name is part of what it parsed. Here one worker of the session parses; every
run gets a copy of its own whose nodes lie in its database. Belongs here: running dbt in a test's own
process. Does not belong here: what is built, and what must come of it.
"""

from argparse import Namespace
from itertools import chain
from pathlib import Path
from typing import Any

from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.once import made_once

PARSED = "partial_parse.msgpack"
# Writing the manifest and a log of every event takes as long as building the core models.
QUICK = ("--no-write-json", "--log-level-file", "none")
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
NO_SEEDS = ("--exclude-resource-type", "seed")


def run_dbt(warehouse: Warehouse, command: str, *args: str) -> dbt.DbtOutcome:
    """One command of dbt on a database of this session; compiled SQL goes to its home's `target`.

    Settings that name another project, e.g. a changed copy of this one, have it parsed as ever.
    """
    settings = warehouse.settings
    words = [command, *QUICK, "--target-path", str(settings.home / "target"), *args]
    project = None
    if settings.root == PROJECT_ROOT:
        project = project_in(warehouse.parameters["dbname"], parsed_once(warehouse))
    return dbt.run(words, settings, warehouse=warehouse, project=project)


def parsed_once(warehouse: Warehouse) -> Path:
    """What dbt made of the project's files, in the folder that all homes of the session share."""

    def parse(folder: Path) -> None:
        words = ["parse", *QUICK, "--target-path", str(folder)]
        outcome = dbt.run(words, warehouse.settings, warehouse=warehouse)
        assert outcome.success, outcome.failures

    return made_once(warehouse.settings.home.parent / "parsed", parse) / PARSED


def project_in(database: str, parsed: Path) -> Any:
    """The parsed project as if it had been parsed for this database."""
    from dbt import flags
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    if not hasattr(
        flags.get_flags(), "SEND_ANONYMOUS_USAGE_STATS"
    ):  # no command of dbt ran in this process yet
        flags.set_from_args(Namespace(SEND_ANONYMOUS_USAGE_STATS=False), None)
    project = Manifest.from_msgpack(parsed.read_bytes(), decoder=extended_mashumuro_decoder)
    for node in chain(project.nodes.values(), project.sources.values()):
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"')
        node.database = database
    project.build_flat_graph()
    return project
