"""What the tests of one session share must not carry anything from one test to another.

Belongs here: made once, parsed once, built once, each against what it stands for. Does not belong
here: a test of the project.
"""

import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests import building
from tests.built_sample import BuiltSample
from tests.once import users

MAKE = """
import os, signal, sys
from pathlib import Path
from tests.once import made_once

def make(place):
    place.mkdir()
    first = not (place.parent / "makings").exists()
    with (place.parent / "makings").open("a") as file:
        file.write("made;")
    (place / "first half").touch()
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
    (place / "second half").touch()

made_once(Path(sys.argv[1]), make)
"""


def test_what_a_killed_worker_left_is_made_anew_and_then_never_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path / "thing")]
    codes = [subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode for _ in range(3)]
    assert codes == [-signal.SIGKILL, 0, 0]
    names = {path.name for path in (tmp_path / "thing").iterdir()}
    assert names == {"first half", "second half"}
    assert (tmp_path / "makings").read_text() == "made;made;"


def test_the_last_of_the_users_knows_that_it_is_the_last(tmp_path: Path) -> None:
    left = []
    for change in (+1, +1, -1, +1, -1, -1):
        with users(tmp_path, change) as count:
            left.append(count)
    assert left == [1, 2, 1, 2, 1, 0]


def places(project: Any) -> dict[str, tuple[str, str]]:
    """Where each node lies, and the name that others read it by."""
    nodes = chain(project.nodes.items(), project.sources.items())
    return {name: (node.database, node.relation_name) for name, node in nodes}


@pytest.mark.slow
def test_a_project_parsed_for_another_database_is_what_dbt_parses_for_this_one(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    first, second = fresh_database("first"), fresh_database("second")
    building.parsed_once(first)
    moved = building.project_in(second, tests=True)
    dbt.run(["parse", "--target-path", str(tmp_path)], second.settings, warehouse=second)
    parsed = building.read(tmp_path / building.PARSED)
    assert places(moved) == places(parsed)
    assert len(places(moved)) > 200
    assert {database for database, _ in places(moved).values()} == {second.parameters["dbname"]}
    untested = building.project_in(second, tests=False)
    tests = {name for name, node in parsed.nodes.items() if node.resource_type == "test"}
    assert places(untested) == {k: v for k, v in places(parsed).items() if k not in tests}
    assert {name: node.depends_on for name, node in untested.nodes.items()} == {
        name: node.depends_on for name, node in parsed.nodes.items() if name not in tests
    }
    assert tests
    assert parsed.unit_tests
    assert not untested.unit_tests


@pytest.mark.slow
def test_what_one_copy_of_the_sample_loses_another_keeps(
    sample_copy: Callable[[str], BuiltSample],
) -> None:
    count = "select count(*) from core.fact_events"
    first, second = sample_copy("dirty"), sample_copy("clean")
    with first.warehouse.connect() as connection:
        held = connection.execute(count).fetchone()
        connection.execute("truncate core.fact_events")
    with second.warehouse.connect() as connection:
        assert connection.execute(count).fetchone() == held
        assert held is not None and held[0] > 10_000
    with sample_copy("later").warehouse.connect() as connection:
        assert connection.execute(count).fetchone() == held
