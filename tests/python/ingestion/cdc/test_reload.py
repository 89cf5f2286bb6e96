"""Change data read wrongly, and read once more under a mended contract: as a clean load left it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.cdc.contract import cdc_contracts
from ingestion.cdc.scd.tables import create_all
from ingestion.contracts.model import load_contracts
from ingestion.load import reload
from ingestion.rereading import NothingNamed
from tests.python.ingestion.cdc.conftest import DUMP_PACK, Loading
from tests.python.ingestion.cdc.test_contracts_change import BEFORE, Shop
from tests.python.ingestion.cdc.test_recorded_dump import (
    assert_history,
    assert_state,
    fingerprint,
    pieces,
)

pytestmark = pytest.mark.slow
WRONGLY = (
    ("      created_at: timestamp(3)\n", "      created_at: timestamp\n"),  # of habits: a unit
    ("      country: text\n", ""),  # of users: missing
    ("      target: numeric(12,2)\n", "      target: numeric(12,4)\n"),  # of goals: a scale
    ("      due: date\n", "      due: text\n"),  # another type
    ("      meta: jsonb\n", "      meta: {type: text, personal: drop}\n"),  # gone for ever
)


def under(loading: Loading, folder: Path) -> Loading:
    settings = replace(loading.warehouse.settings, contracts=(folder,))
    return Loading(replace(loading.warehouse, settings=settings))


def reload_of(loading: Loading, *words: str, tables: tuple[str, ...] = ()) -> object:
    warehouse = loading.warehouse
    return reload(warehouse.connect, warehouse.settings, words, tables=tables, processes=1)


def changes(loading: Loading) -> list[tuple[object, ...]]:
    """Every stored change, but for the load that brought it."""
    return loading.rows(
        "select cast(to_jsonb(c) - 'load_id' as text) from raw_cdc.changes as c order by 1"
    )


def wrong_pack(folder: Path) -> Path:
    text = (DUMP_PACK / "appdb.yml").read_text()
    for right, wrong in WRONGLY:
        assert right in text
        text = text.replace(right, wrong, 1)
    (folder / "appdb.yml").write_text(text)
    return folder


@pytest.mark.parametrize("cut", ["whole", "pieces"])
def test_the_recorded_dump_mended_and_reloaded_is_as_loaded_clean(
    loading: Callable[..., Loading], dump_lines: list[bytes], tmp_path: Path, cut: str
) -> None:
    files = {"cdc/appdb/part1.jsonl": dump_lines}
    if cut == "pieces":
        files = pieces(dump_lines, 7, "piece")
    right = loading(DUMP_PACK)
    right.put_and_load(files)
    one = under(loading(DUMP_PACK), wrong_pack(tmp_path))
    one.put_and_load(files)
    assert fingerprint(one) != fingerprint(right)
    one = under(one, DUMP_PACK)
    report = one.load()
    assert "tallyhouse reload cdc/appdb --table goals --table habits --table users" in str(
        report.notes
    )
    assert fingerprint(one) != fingerprint(right)  # what was dropped is not there to be found
    reload_of(one, "appdb")
    assert_state(one)
    assert_history(one)
    assert fingerprint(one) == fingerprint(right)
    assert changes(one) == changes(right)
    assert one.load().notes == []


def test_a_reload_of_one_table_reads_the_files_that_hold_it(
    loading: Callable[..., Loading], tmp_path: Path
) -> None:
    """Two tenants; a table in two files of three."""
    wrong = BEFORE.replace("plan: text", "plan: {type: text, personal: drop}") + (
        "  visits: {primary_key: [id], columns: {id: integer, person: integer}}\n"
    )
    shop = Shop(loading(), tmp_path)
    shop.contract(wrong)
    person = {"id": 1, "org": 7, "email": None, "notes": None, "plan": "pro"}
    shop.load(shop.change("c", person), shop.change("c", {"id": 1, "person": 1}, table="visits"))
    shop.load(shop.change("c", {"id": 2, "person": 1}, table="visits"))
    shop.load(
        shop.change("c", {**person, "id": 2, "org": 8}),
        shop.change("u", {**person, "plan": "free"}),
    )
    shop.contract(wrong.replace("{type: text, personal: drop}", "text", 2).replace(
        "notes: text", "notes: {type: text, personal: drop}"))  # fmt: skip
    with shop.loading.connect() as conn:  # as though the files' positions had been read wrongly
        conn.execute("update raw_cdc.stream_files set newest_position = '\\xffff'")
    report = reload_of(shop.loading, "shop", tables=("people",))
    assert report.files_loaded == 2
    assert shop.rows("select table_name, stream_file from raw_cdc.stream_files"
                     " where newest_position = '\\xffff'") == [("visits", "0012.jsonl")]  # fmt: skip
    assert shop.rows("select id, plan from raw_cdc.shop__people order by id") == [
        (1, "free"), (2, "pro"),
    ]  # fmt: skip
    assert shop.rows("select plan from raw_cdc.shop__people_history where id = 1 order by valid_from"
                     ) == [("pro",), ("free",)]  # fmt: skip
    assert shop.rows("select id from raw_cdc.shop__visits order by 1") == [(1,), (2,)]
    assert shop.loading.load().notes == []
    with pytest.raises(NothingNamed, match="No table 'nothing'"):
        reload_of(shop.loading, "shop", tables=("nothing",))


def test_rows_that_no_file_brings_any_more_leave_their_table(
    loading: Callable[..., Loading], tmp_path: Path
) -> None:
    """A table that is another one now, whose people the models must see leave."""
    shop = Shop(loading(), tmp_path)
    person = {"id": 1, "org": 7, "email": None, "notes": None, "plan": "pro"}
    shop.load(shop.change("c", person), shop.change("c", {**person, "id": 2, "org": 8}))
    shop.load(shop.change("c", {**person, "id": 3}), shop.change("d", {"id": 3}))
    before = shop.rows("select max(load_id) from ops.load_manifest")[0][0]
    shop.contract(BEFORE.replace("tables:", "ignored_tables: [people]\ntables:"))
    reload_of(shop.loading, "cdc/shop")
    assert shop.rows("select * from raw_cdc.shop__people_history") == []
    assert shop.rows("select * from raw_cdc.changes") == []
    assert shop.rows(
        f"select entity_type, count(distinct tenant_id) from ops.load_touched where load_id > {before}"
        " group by 1 order by 1"
    ) == [("cdc_table", 0), ("user", 2)]


def test_a_preparation_leaves_a_filled_table_to_the_load(
    loading: Callable[..., Loading], tmp_path: Path
) -> None:
    """Until its changes are decoded by the new contract, readers see the old columns with their values."""
    shop = Shop(loading(), tmp_path)
    shop.load(shop.change("c", {"id": 1, "org": 7, "email": None, "notes": None, "plan": "5"}))
    shop.contract(
        BEFORE.replace("plan: text", "plan: integer") + "  visits: {columns: {id: integer}}\n"
    )
    with shop.loading.connect() as conn:
        create_all(conn, cdc_contracts(load_contracts([tmp_path])).values())
    assert shop.rows("select plan from raw_cdc.shop__people_history") == [("5",)]
    assert shop.rows("select id from raw_cdc.shop__visits") == []
    reload_of(shop.loading, "shop")
    assert shop.rows("select plan from raw_cdc.shop__people_history") == [(5,)]
