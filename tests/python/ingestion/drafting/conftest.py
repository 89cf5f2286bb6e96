"""Fixtures of the drafting tests: a contract drafted from lines, loads of it, the recorded dump."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from ingestion.drafting.draft import Draft, Request, draft
from tallyhouse.settings import PROJECT_ROOT
from tests.python.ingestion.cdc.conftest import dump_lines, loading  # noqa: F401

TRACKERS = PROJECT_ROOT / "contracts" / "examples" / "trackers"


class Drafted:
    """A draft and what it declares."""

    def __init__(self, made: Draft) -> None:
        self.text, self.sentences = made.text, made.sentences
        self.body: dict[str, Any] = yaml.safe_load(made.text)

    def columns(self, table: str) -> dict[str, Any]:
        """Column → what is declared of it, the short form as {"type": …}."""
        declared = self.body["tables"][table]["columns"]
        return {k: {"type": v} if isinstance(v, str) else v for k, v in declared.items()}

    def types(self, table: str) -> dict[str, str]:
        return {name: said["type"] for name, said in self.columns(table).items()}

    def properties(self, event: str, need: str = "required") -> dict[str, Any]:
        declared = self.body["events"][event].get(need, {})
        return {k: {"type": v} if isinstance(v, str) else v for k, v in declared.items()}


def drafted(place: Path, lines: Iterable[Any], name: str = "shop.jsonl", **options: Any) -> Drafted:
    """The draft of a file with these lines (bytes as they are, anything else as JSON)."""
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"".join((x if isinstance(x, bytes) else orjson.dumps(x)) + b"\n" for x in lines)
    )
    return Drafted(draft(Request((str(path),), trackers=TRACKERS, **options)))


@pytest.fixture
def draft_of(tmp_path: Path) -> Callable[..., Drafted]:
    def make(lines: Iterable[Any], name: str = "shop.jsonl", **options: Any) -> Drafted:
        return drafted(tmp_path, lines, name, **options)

    return make


def change(
    table: str = "orders", after: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A bare record of Debezium's Postgres connector."""
    key = more.pop("key", {"id": (after or {}).get("id", 1)})
    lsn, schema = more.pop("lsn", 100), more.pop("schema", "public")
    source = {"connector": "postgresql", "name": "shop", "schema": schema, "table": table,
              "lsn": lsn, "txId": lsn, "ts_ms": 1_790_000_000_000 + lsn}  # fmt: skip
    value = {"before": None, "after": after, "source": source, "op": "c",
             "ts_ms": 1_790_000_001_000 + lsn, **more}  # fmt: skip
    return {"topic": f"shop.{schema}.{table}", "key": key, "value": value}
