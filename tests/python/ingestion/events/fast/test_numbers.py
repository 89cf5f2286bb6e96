"""Numbers of any spelling, alike or not, are stored by the fast path as the row path stores them."""

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contracts.model import Contracts, load_contracts
from ingestion.events.parser import EventParser
from ingestion.events.source import EventSource
from ingestion.landing.file_info import FileInfo
from ingestion.privacy.tokens import Tokeniser
from tallyhouse.settings import PROJECT_ROOT
from tests.python.ingestion.conftest import KEY, event
from tests.python.ingestion.events.fast.test_reader import both

ALIKE = (  # texts that differ in their digits
    ("0", "1", "2", "7"), ("12", "20", "90"), ("999999999999", "100000000000"),
    ("1000000000000", "8502095800080"), ("4111111111111111", "4111111111111112"),
    ("-3", "-0"), ("1.5", "2.0", "0.0"), ("1.50", "2.75", "7.00"), ("10.25", "10.20"),
    ("0.0001", "0.0020"), ("0.00001", "0.00015"), ("1e5", "2e3"), ("1E5", "2E3"),
    ("123456789.1234", "123456789.1230"), ("18446744073709551616", "92233720368547758070"),
    ('"12"', '"34"'), ('"0612345678"', '"0698765432"'), ('"2026-03-01"', '"2026-13-01"'),
    ("[1,20]", "[3,40]"), ('{"b":1,"a":2}', '{"b":7,"a":8}'), ('{"a":1,"b":2}', '{"a":7,"b":8}'),
    ('{"a1":3}', '{"a2":3}'), ('{"ip":12}', '{"ip":34}'), ("[4111111111111111]", "[1]"), ("[ 1]",),
    ('"4111111111111112"', '"4111111111111111"'), ('"r2d2"', '"c3p0"'),
    ("true", "null", '"é"', '"web"'),
)  # fmt: skip
EVENTS: dict[str, tuple[str, ...]] = {
    "mood_logged": ("score", "goal_id", "platform", "email", "ip", "a1", "z"),
    "rated": ("stars", "at", "score", "rest"),
}
RATED = """
kind: events
product: upcoach
owner: tests
description: Fields whose digits matter.
clock: device
events:
  mood_logged:
    optional: {score: number, goal_id: any, platform: any, email: any, ip: any, a1: any}
  rated: {optional: {stars: {type: integer, values: [1, 2, 20]}, at: timestamp, score: any}}
"""


@cache
def parser_of_ratings(folder: Path) -> EventParser:
    """One for all examples: what it remembers of one must not harm the next."""
    contracts: Contracts = load_contracts([PROJECT_ROOT / "contracts", folder])
    file = FileInfo("events", "upcoach", "events/upcoach/a.jsonl", "ab" * 32, 1)
    parser = EventSource(contracts, Tokeniser(KEY)).open(file)
    assert isinstance(parser, EventParser)
    return parser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("contracts")
    (made / "upcoach.yml").write_text(RATED)
    return made


@st.composite
def lines(draw: st.DrawFn) -> list[bytes]:
    found = []
    name = draw(st.sampled_from(sorted(EVENTS)))
    keys = draw(st.lists(st.sampled_from(EVENTS[name]), unique=True, max_size=3))
    alike = {key: st.sampled_from(draw(st.sampled_from(ALIKE))) for key in keys}
    for number in range(draw(st.integers(2, 6))):
        members = ",".join(f'"{key}":{draw(values)}' for key, values in alike.items())
        record = json.dumps(event(number, event_name=name, properties="HERE"))
        found.append(record.replace('"HERE"', "{%s}" % members).encode())  # noqa: UP031
    return found


@settings(max_examples=300, deadline=None)
@given(some=lines())
def test_numbers_of_any_kind_read_the_same(folder: Path, some: list[bytes]) -> None:
    both(parser_of_ratings(folder), some)
