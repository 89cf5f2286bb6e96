"""`tallyhouse contract …` from outside: where the text goes, sentences and exit codes."""

import gzip
import json
import re
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli import main
from tallyhouse.settings import PROJECT_ROOT
from tests.python.ingestion.drafting.conftest import change

EVENT = {"event_id": "e", "event_name": "seen", "occurred_at": "2026-03-01T10:00:00Z", "n": 1}
SECRET = "open-sesame"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["contract", *map(str, arguments)])


def put(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_stdout_is_the_contract_alone(tmp_path: Path) -> None:
    path = put(tmp_path / "cdc" / "shop" / "a.jsonl.gz",
               gzip.compress(json.dumps(change("orders", {"id": 1})).encode()))  # fmt: skip
    result = run("draft", path)
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["tables"]["orders"]["columns"] == {"id": "bigint"}
    assert "none rejected" in result.stderr


def test_a_file_is_overwritten_only_when_forced(tmp_path: Path) -> None:
    path, out = put(tmp_path / "shop.jsonl", json.dumps(EVENT)), tmp_path / "new" / "shop.yml"
    assert run("draft", path, "--out", out).exit_code == 0
    before = out.read_text()
    assert yaml.safe_load(before)["product"] == "shop"
    out.write_text("by hand")
    refused = run("draft", path, "--out", out)
    assert (refused.exit_code, out.read_text()) == (1, "by hand")
    assert "--force" in refused.stderr
    assert run("draft", path, "--out", out, "--force").exit_code == 0
    assert out.read_text() == before


def test_no_more_records_are_read_than_asked(tmp_path: Path) -> None:
    lines = [json.dumps({**EVENT, "event_id": str(n)}) for n in range(1, 51)]
    path = put(tmp_path / "shop.jsonl", "\n".join(lines))
    result = run("draft", path, "--records", 10)
    assert "Tried on its sample: 10 records accepted" in result.stderr
    assert "there is more in the source" in result.stdout


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b" \n\n", "is empty"),
        ("a.jsonl.gz", b"{}", "not compressed with gzip"),
        ("a.gz", gzip.compress(b'{"a": 1}\n' * 9, mtime=0)[:-20] + b"x" * 12, "cannot be read"),
        ("a.json", b'[{"a": 1}]', "one JSON array"),
        ("a.json", b'{\n "a": 1\n}\n', "an event needs one"),
        ("a.csv", b"just one column\nmore\n", "form that is not known"),
        ("a.csv", b"id,at\n", "a header and no record"),
        ("a.csv", b"id,id,at\n1,1,2026-01-01\n", "column twice"),
        ("a.bin", b"\x01\x00\x02\n", "zero bytes"),
        ("a.parquet", b"PAR1\x15\x04PAR1", "a Parquet file"),
        ("a.jsonl", b'{"id": 1, "word": "a"}\n', "an event needs one"),
        ("a.jsonl", b'{"object": "event", "data": {}, "id": "evt_1"}\n', "Stripe's events"),
        (
            "a.jsonl",
            b'{"batch": [{"a": 1}], "sentAt": "2026-01-01T00:00:00Z"}\n',
            "batch of events",
        ),
    ],
)
def test_what_cannot_be_drafted_is_one_sentence(
    name: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    result = run("draft", put(tmp_path / name, content))
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr and result.stderr.count("\n") == 1


def test_a_file_is_drafted_from_as_the_loader_would_read_it(tmp_path: Path) -> None:
    text = "id,at\n1,2026-01-01\n"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", text)
    for path in (tmp_path / "a.zip", put(tmp_path / "a.csv", text.encode("utf-16"))):
        result = run("draft", path)
        assert result.exit_code == 0, path
        assert "Tried on its sample: 1 record accepted, none rejected." in result.stderr, path


def test_places_that_are_not_there(tmp_path: Path) -> None:
    missing = run("draft", tmp_path / "none.jsonl")
    assert missing.exit_code == 1 and "There is no file" in missing.stderr
    (tmp_path / "folder").mkdir()
    assert "holds no file" in run("draft", tmp_path / "folder").stderr
    assert "s3:// cannot be drafted from" in run("draft", "s3://bucket/key").stderr
    assert "cannot be a product" in run("draft", tmp_path, "--product", "My Shop").stderr
    assert run("draft").exit_code == 2


def test_a_database_that_does_not_answer_is_a_sentence_without_its_password() -> None:
    result = run("draft", f"postgresql://reader:{SECRET}@127.0.0.1:1/shop")
    assert result.exit_code == 1
    assert "The database at 127.0.0.1:1/shop cannot be read" in result.stderr
    assert SECRET not in result.output
    assert "Write it as in" in run("draft", "postgresql://host:port/x").stderr


def test_staging_of_an_undeclared_product_says_how_to_declare_it(tmp_path: Path) -> None:
    result = run("staging", "nobody", "--out", tmp_path)
    assert result.exit_code == 1
    assert "contract draft` writes contracts/cdc/nobody.yml" in result.stderr


def test_staging_writes_and_then_leaves_alone(tmp_path: Path) -> None:
    first = run("staging", "upcoach", "--table", "goals", "--table", "users", "--out", tmp_path)
    assert first.exit_code == 0
    assert "stg_upcoach__users belongs into `user_registers`" in first.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "_upcoach__models.yml", "_upcoach__sources.yml", "stg_upcoach__goals.sql",
        "stg_upcoach__users.sql",
    ]  # fmt: skip
    again = run("staging", "upcoach", "--table", "goals", "--out", tmp_path)
    assert again.exit_code == 0
    assert "Left as they are (--force writes them anew): stg_upcoach__goals.sql" in again.stdout


@pytest.mark.parametrize("place", ["contracts", "elsewhere"])
def test_staging_into_the_project_says_that_its_contract_lies_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Every home builds the models of the project; only those that read the contract have its tables."""
    held = put(tmp_path / "project" / place / "cdc" / "shopdb.yml", (
        "kind: cdc\nproduct: shopdb\ntables: {t: {primary_key: [id], columns: {id: integer}}}\n"
    ))  # fmt: skip
    (tmp_path / "project" / "contracts").mkdir(exist_ok=True)
    monkeypatch.setattr("tallyhouse.settings.PROJECT_ROOT", tmp_path / "project")
    if place == "elsewhere":
        monkeypatch.setenv("TALLYHOUSE_CONTRACTS", str(held.parent.parent))
    moves = f"Move it: mv {held} {tmp_path / 'project' / 'contracts' / 'cdc' / 'shopdb.yml'}"
    done = run("staging", "shopdb")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "project/models/staging/shopdb/stg_shopdb__t.sql").is_file()
    assert (moves in done.stdout) is (place == "elsewhere"), done.stdout
    assert "Move it" not in run("staging", "shopdb", "--out", tmp_path / "out").stdout


def test_commands_of_the_page_on_own_data_run_as_they_stand() -> None:
    page = (PROJECT_ROOT / "docs" / "own-data.md").read_text("utf-8")
    bare = r"(?:^|`)(?:tallyhouse|dbt|mf) .*"
    assert re.findall(bare, page, re.MULTILINE) == []
    moved = page.index("mv ~/shop/contracts/cdc/shopdb.yml contracts/cdc/")
    assert moved < page.index("contract staging shopdb")
