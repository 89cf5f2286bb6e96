"""Fixtures of the CDC tests: landing folders, a load into a fresh database, the recorded dump."""

import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingestion.cdc.contract import cdc_contracts
from ingestion.cdc.scd.tables import create_all
from ingestion.contracts.model import load_contracts
from ingestion.load import load_all
from ingestion.report import LoadReport
from tallyhouse.database import Warehouse
from tests.keys import put_key
from tests.shared_data import shared

PROJECT = Path(__file__).resolve().parents[4]
DUMP = "debezium/engine_dump"
KEY = bytes(range(32))
DUMP_PACK = PROJECT / "contracts" / "examples" / "debezium_engine"


@dataclass
class Loading:
    """A fresh warehouse and a landing folder that fills as a test goes."""

    warehouse: Warehouse

    @property
    def landing(self) -> Path:
        return Path(self.warehouse.settings.landing)

    def start_over(self, product: str) -> None:
        """Empty the log of loads, what came as change data and the landing folder; drop the product's tables."""
        with self.connect() as conn:
            made = conn.execute(
                "select format('%%I.%%I', schemaname, tablename) from pg_tables"
                " where schemaname = 'raw_cdc' and starts_with(tablename, %s)",
                [f"{product}__"],
            ).fetchall()
            for (name,) in made:
                conn.execute(f"drop table {name} cascade".encode())
            emptied = conn.execute(
                "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'ops'"
                " or (schemaname = 'raw_cdc' and tablename ~ '^(change|resets|stream_files|folded_tables)')"
            ).fetchall()
            conn.execute(f"truncate {', '.join(name for (name,) in emptied)}".encode())
        for path in self.landing.rglob("*.jsonl"):
            path.unlink()

    def put(self, files: Mapping[str, Iterable[bytes]]) -> None:
        """Write files below the landing folder: path → lines."""
        for path, lines in files.items():
            target = self.landing / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"".join(line + b"\n" for line in lines))

    def load(self) -> LoadReport:
        return load_all(self.warehouse.connect, self.warehouse.settings, processes=1)

    def put_and_load(self, files: Mapping[str, Iterable[bytes]]) -> LoadReport:
        self.put(files)
        return self.load()

    def connect(self) -> psycopg.Connection[Any]:
        return self.warehouse.connect()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as conn:
            return conn.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def loading(fresh_database: Callable[..., Warehouse]) -> Callable[..., Loading]:
    """A factory of empty warehouses that know the given contract packs."""

    def make(*packs: Path) -> Loading:
        warehouse = fresh_database("cdc", prepared=True)
        put_key(warehouse.settings.pii_key_file, KEY)  # tokens and sealed values are compared
        with warehouse.connect() as conn:
            create_all(conn, cdc_contracts(load_contracts(packs)).values())
        return Loading(
            replace(warehouse, settings=replace(warehouse.settings, contracts=tuple(packs)))
        )

    return make


@pytest.fixture(scope="session")
def dump_lines() -> list[bytes]:
    path = shared(f"{DUMP}/A_default_part1.jsonl.gz")
    return gzip.decompress(path.read_bytes()).split(b"\n")[:-1]
