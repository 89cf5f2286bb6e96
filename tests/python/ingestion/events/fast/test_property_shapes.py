"""Properties taken by their shape are stored as the parser stores them."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contracts.model import Contracts, load_contracts
from ingestion.events.fast.property_shapes import PropertyShapes
from ingestion.events.parser import EventParser
from ingestion.events.source import EventSource
from ingestion.landing.file_info import FileInfo
from ingestion.privacy.tokens import Tokeniser
from tallyhouse.settings import PROJECT_ROOT
from tests.python.ingestion.conftest import KEY, event
from tests.python.ingestion.events.fast.test_reader import both

ALIKE = (  # texts that might be taken for one shape
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
    """One for all examples: shapes of one must not harm the next."""
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


def learnt(properties: dict[str, Any], text: bytes | None = None) -> PropertyShapes:
    shapes = PropertyShapes()
    said = text or json.dumps(properties, separators=(",", ":")).encode()
    shapes.learn("viewed", said, properties)
    return shapes


def test_other_digits_are_the_same_shape() -> None:
    shapes = learnt({"platform": "web", "goal_id": 12, "seconds": 1.25})
    said = b'{"platform":"web","goal_id":90,"seconds":7.01}'
    assert shapes.text("viewed", said) == '{"goal_id":90,"platform":"web","seconds":7.01}'


@pytest.mark.parametrize(
    "said",
    [
        b'{"platform":"web","goal_id":90,"seconds":7.10}',  # is written 7.1
        b'{"platform":"web","goal_id":900,"seconds":7.01}',
        b'{"platform":"ios","goal_id":90,"seconds":7.01}',
        b'{"goal_id":90,"platform":"web","seconds":7.01}',
    ],
)
def test_other_texts_are_not(said: bytes) -> None:
    shapes = learnt({"platform": "web", "goal_id": 12, "seconds": 1.25})
    assert shapes.text("viewed", said) is None
    assert shapes.text("another", b'{"platform":"web","goal_id":12,"seconds":1.25}') is None


def test_many_texts_are_each_read_by_the_shapes_of_their_own_event() -> None:
    shapes = learnt({"goal_id": 12})
    shapes.learn("rated", b'{"z":1,"b":2}', {"z": 1, "b": 2})
    said = [b'{"goal_id":34}', b'{"z":3,"b":4}', b'{"goal_id":56}', '{"a":"é"}'.encode(), b"\xff"]
    names = ["seen", "rated", "rated", "seen", "unheard of"]
    found = shapes.texts({"seen": "viewed", "rated": "rated"}, names, said)
    assert found == ['{"goal_id":34}', '{"b":4,"z":3}', None, None, None]


@pytest.mark.parametrize(
    "properties",
    [
        {"phone": "0612345678"},
        {"goal_2": 1},
        {"n": -1},
        {"n": 10**12},
        {"n": 1e-7},
        {"more": {"b": 1, "a": 2}},
        {"text": "é"},
        {"text": "x" * 2_000},
    ],
)
def test_what_digits_may_change_is_not_remembered(properties: dict[str, Any]) -> None:
    assert len(learnt(properties)) == 0


def test_text_with_blanks_or_repeated_names_is_not_remembered() -> None:
    assert len(learnt({"n": 1}, b'{"n": 1}')) == 0
    assert len(learnt({"n": 1}, b'{"n":2,"n":1}')) == 0


def test_shapes_are_used(parser_of: Callable[..., EventParser]) -> None:
    parser = parser_of("upcoach")
    some = [json.dumps(event(n, properties={"goal_id": n}), separators=(",", ":")).encode()
            for n in range(100, 200)]  # fmt: skip
    rows, left = both(parser, some)
    assert (len(rows), left) == (100, set())
    assert parser._fast is not None
    assert len(parser._fast._interners._bodies) == 0
