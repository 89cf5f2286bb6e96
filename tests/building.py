"""dbt as tests run it: the project is parsed once per session, and nothing is written that no test reads.

Parsing takes longer than building a handful of models, and dbt parses anew for each database,
because the database's name is part of what it parsed. Here one worker of the session parses; every
run gets a copy of its own whose nodes lie in its database. Belongs here: running dbt in a test's own
process. Does not belong here: what is built, and what must come of it.
"""

from argparse import Namespace
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT, Settings
from tests.once import made_once

PARSED = "partial_parse.msgpack"
DATABASE = "tallyhouse"  # what it is parsed for, as in every house
# Most runs test nothing, and four nodes of five are tests: without them reading the project takes a third of the time.
WITHOUT_TESTS = "without_tests.msgpack"
# Writing the manifest and a log of every event takes as long as building the core models.
QUICK = ("--no-write-json", "--log-level-file", "none")
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
NO_SEEDS = ("--exclude-resource-type", "seed")


def run_dbt(
    warehouse: Warehouse, command: str, *args: str, on_event: Callable[[Any], None] | None = None
) -> dbt.DbtOutcome:
    """One command of dbt on a database of this session; compiled SQL goes to its home's `target`.

    Settings that name another project, e.g. a changed copy of this one, have it parsed as ever: once whole,
    then what changed.
    """
    settings = warehouse.settings
    words = [command, *QUICK, "--target-path", str(settings.home / "target"), *args]
    project = None
    if settings.root == PROJECT_ROOT:
        untested = command in ("run", "seed") or {*NO_TESTS} <= {*args}
        project = project_in(warehouse, tests=not untested)
    return dbt.run(words, settings, warehouse=warehouse, on_event=on_event, project=project)


def parsed_once(warehouse: Warehouse, *, tests: bool = True) -> Path:
    """What dbt made of the project's files, with or without its tests; all homes of the session share it."""

    def parse(folder: Path) -> None:
        from dbt.parser.manifest import extended_mashumaro_encoder

        words = ["parse", *QUICK, "--target-path", str(folder)]
        outcome = dbt.run(words, warehouse.settings, warehouse=warehouse.database(DATABASE))
        assert outcome.success, outcome.failures
        project = read(folder / PARSED)
        project.files = {}
        project.nodes = {k: v for k, v in project.nodes.items() if v.resource_type != "test"}
        project.unit_tests = {}
        (folder / WITHOUT_TESTS).write_bytes(project.to_msgpack(extended_mashumaro_encoder))

    return made_once(warehouse.settings.home.parent / "parsed", parse) / (
        PARSED if tests else WITHOUT_TESTS
    )


def read_untested(_: Settings, warehouse: Warehouse) -> Any:
    """In the place of `dbt.read_project`, for builds that leave tests out."""
    return project_in(warehouse, tests=False)


def project_in(warehouse: Warehouse, *, tests: bool) -> Any:
    """The parsed project as if it had been parsed for this database."""
    project = read(parsed_once(warehouse, tests=tests))
    database = warehouse.parameters["dbname"]
    for node in chain(project.nodes.values(), project.sources.values()):
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"')
        node.database = database
    project.build_flat_graph()
    return project


def read(parsed: Path) -> Any:
    """A file of dbt's, as `dbt.run` takes it."""
    from dbt import flags
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    if not hasattr(
        flags.get_flags(), "SEND_ANONYMOUS_USAGE_STATS"
    ):  # no command of dbt ran in this process yet
        flags.set_from_args(Namespace(SEND_ANONYMOUS_USAGE_STATS=False), None)
    return Manifest.from_msgpack(parsed.read_bytes(), decoder=extended_mashumuro_decoder)
