"""Small streams with a right answer each, made by hand from the rules: `../shared/data/cases/cdc`.

Each is loaded by the contract beside it. What else there is of its kind stands in the modules of that kind
(`test_order`, `test_envelope_schema`, …).
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.report import LoadReport
from tests.python.ingestion.cdc.conftest import Loading
from tests.shared_data import shared

pytestmark = pytest.mark.slow


class Case:
    """One case: its contract in a folder of its own, its files in the landing folder when asked for."""

    def __init__(self, name: str, loading: Loading, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.place = shared(f"cases/cdc/{name}")
        settings = replace(loading.warehouse.settings, contracts=(folder,))
        self.loading = Loading(replace(loading.warehouse, settings=settings))
        self.contract(lambda text: text)

    def contract(self, changed: Callable[[str], str]) -> None:
        text = (self.place / "contract.yml").read_text()
        (self.folder / f"{self.name}.yml").write_text(changed(text))

    def load(self, *files: str) -> LoadReport:
        """These files in one load; without any, all of them."""
        names = files or tuple(sorted(path.name for path in (self.place / "files").iterdir()))
        return self.loading.put_and_load(
            {
                f"cdc/{self.name}/{name}": (self.place / "files" / name).read_bytes().splitlines()
                for name in names
            }
        )

    def rows(self, columns: str, table: str = "t", suffix: str = "") -> list[tuple[Any, ...]]:
        order = "1" if not suffix else "valid_from"
        return self.loading.rows(
            f'select {columns} from raw_cdc."{self.name}__{table}{suffix}" order by {order}'
        )

    def drift(self) -> list[tuple[Any, ...]]:
        return self.loading.rows(
            "select object_name, field_name, kind, record_count from ops.schema_drift order by 1, 2, 3"
        )

    def rejected(self) -> list[tuple[Any, ...]]:
        return self.loading.rows(
            "select line_number, reason_code, reason from ops.rejected_records"
        )


@pytest.fixture
def case(request: pytest.FixtureRequest, loading: Callable[..., Loading], tmp_path: Path) -> Case:
    return Case(request.param, loading(), tmp_path)


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [name], indirect=True)


@of("k08")
def test_a_mongodb_document_is_refused_by_name(case: Case) -> None:
    case.load()
    rejected = case.rejected()
    assert [(line, code) for line, code, _ in rejected] == [
        (1, "mongodb_document"), (2, "mongodb_document"),
    ]  # fmt: skip
    assert all(
        "ExtractNewDocumentState" in reason and "docs/cdc.md" in reason for *_, reason in rejected
    )
    assert case.rows("*", "customers") == []


@of("k09")
def test_sql_server_is_ordered_by_its_commits(case: Case) -> None:
    case.load()
    assert case.rows("id, v", "dbo__customers") == [(1, "third")]
    assert case.rows("v", "dbo__customers", "_history") == [("first",), ("second",), ("third",)]


@of("k10")
def test_names_in_capitals(case: Case) -> None:
    case.load()
    found = case.rows('"ID", "NAME", "PRICE", "AT"::text', "inventory__customers")
    assert found == [(1, "b", 1234, "2026-09-21 14:13:20.123456")]


@of("k11")
def test_another_schema_never_meets_a_table_of_the_same_name(case: Case) -> None:
    case.load("f1.jsonl")
    case.load("f2.jsonl")
    case.load("f3.jsonl")
    assert case.rows("id, v") == [(1, "public row"), (2, "public row 2")]
    assert case.rows("v, is_current", suffix="_history") == [
        ("public row", True), ("public row 2", True),
    ]  # fmt: skip
    assert case.drift() == [("archive__t", "", "undeclared_table", 3)]
    kept = case.loading.rows(
        "select table_name, count(*) from raw_cdc.changes group by 1 order by 1"
    )
    assert kept == [("archive__t", 3), ("t", 2)]


@of("k12")
def test_what_was_kept_aside_follows_the_mended_contract(case: Case) -> None:
    case.load()
    columns = ("at", "born", "name", "ok", "price")
    undecodable = [("t", name, "undecodable_value", 2 if name == "name" else 1) for name in columns]
    assert case.drift() == undecodable
    case.contract(
        lambda text: (
            text.replace("name: integer", "name: text")
            .replace("numeric(4,2)", "numeric(12,2)")
            .replace("ok: boolean, at: timestamptz, born: date", "ok: text, at: text, born: text")
        )
    )
    case.loading.load()
    ann, ben = case.rows("name, price::text, ok, at, born")
    assert ann == ("Anne", "123.45", "yes", "yesterday", "21/09/1990")
    assert ben[:4] == ("Ben", "1.50", "true", "2026-01-01T00:00:00Z")
    assert case.loading.rows("select kind from ops.schema_drift where settled_at is null") == []


@of("k13")
def test_decimals_as_text_are_never_taken_for_base64(case: Case) -> None:
    case.load()
    numbers = [5, 1234, 12_345_678, 100_000_000_000, 999]
    assert case.rows("id, free, whole") == [
        (place, number, number) for place, number in enumerate(numbers, start=1)
    ]
    fitting = [number if number < 10**10 else None for number in numbers]  # of numeric(12,2)
    assert [money for _, money in case.rows("id, money")] == fitting
    assert ("t", "money", "undecodable_value", 1) in case.drift()


@of("k14")
def test_the_schema_inside_the_envelope_decides(case: Case) -> None:
    case.load()
    assert case.rows("id, free, at::text, tm::text, price::text") == [
        (1, 1234, "2026-09-21 14:13:20.123", "01:00:00", "123.46")
    ]
    assert case.drift() == [("t", name, "contract_disagrees", 1) for name in ("at", "price", "tm")]


@of("k15")
def test_what_nobody_declared_is_there_when_somebody_does_or_says_that_it_is_not(
    case: Case,
) -> None:
    case.load()
    case.contract(
        lambda text: text.replace(
            "v: text",
            "v: text, birth_date: date, address: text, ref: text, phone_verified: boolean",
        )
    )
    case.loading.load()
    assert case.rows("v, birth_date::text, address, ref, phone_verified") == [
        ("a", "1990-01-01", "Main St 1", "123456782", True)
    ]
    assert [row for row in case.drift() if row[2] == "removed_value"] == []


@of("k17")
def test_kcat_writes_keys_and_payloads_as_texts(case: Case) -> None:
    case.load()
    assert case.rows("id, v") == [(1, "a")]
    assert case.rejected() == []


@of("k29")
def test_a_log_that_began_anew_is_told_and_can_be_declared(case: Case) -> None:
    case.load("f1.jsonl")
    report = case.load("f2.jsonl")
    assert ("t", "", "log_restarted", 3) in case.drift()
    assert any("log_restarts" in sentence for sentence in report.sentences())
    case.contract(
        lambda text: text.replace(
            "product: k29", "product: k29\nlog_restarts: ['2027-01-03T18:13:21Z']"
        )
    )
    case.loading.load()
    assert case.rows("id, v") == [(1, "new server, changed"), (2, "new server")]
    history = [value for key, value in case.rows("id, v", suffix="_history") if key == 1]
    assert history == ["old server", "new server", "new server, changed"]


@of("k33")
def test_a_topic_dumped_again_leaves_history_as_it_was(case: Case) -> None:
    case.load("dump.jsonl")
    case.load("dump-again.jsonl")
    versions = case.rows("v, valid_from, valid_to, is_current", suffix="_history")
    assert [version[0] for version in versions] == ["a", "b", "c", "d"]
    assert [version[1] for version in versions[1:]] == [version[2] for version in versions[:-1]]
    assert [version[3] for version in versions] == [False, False, False, True]
