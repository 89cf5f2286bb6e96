"""Any split of the same lines into files and runs, in any order, however often, ends the same.

Rule 48 for loading: the generated history has repeated ids with equal and other bodies, on other
days, in two tenants, between broken lines. The expected state is computed here from rule 40 alone.
"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.python.ingestion.conftest import OTHER_TENANT, TENANT, Loading, conflict_log, event

pytestmark = pytest.mark.slow

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking over a database takes minutes
BROKEN = [b"junk", b'{"event_id": 1}', b"[]", b"\xff", b'{"a":']


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    number = st.integers(1, 6)
    return [
        event(
            draw(number),
            tenant_id=draw(st.sampled_from([TENANT, OTHER_TENANT])),
            occurred_at=f"2026-03-0{draw(st.integers(1, 3))}T10:00:00Z",
            received_at=f"2026-03-05T00:00:0{draw(st.integers(0, 2))}Z",
            properties={"goal_id": draw(st.integers(1, 2))},
        )
        for _ in range(draw(st.integers(1, 14)))
    ]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[list[bytes]]]]:
    """A history and its delivery: runs of files of lines, every line at least once."""
    history = draw(histories())
    lines = [json.dumps(one).encode() for one in history]
    again = draw(st.lists(st.sampled_from(lines), max_size=6))
    mixed = draw(
        st.permutations([*lines, *again, *draw(st.lists(st.sampled_from(BROKEN), max_size=3))])
    )
    runs: list[list[list[bytes]]] = [[[]]]
    for one in mixed:
        where = draw(st.sampled_from(["same", "same", "file", "run"]))
        if where == "run":
            runs.append([[]])
        elif where == "file":
            runs[-1].append([])
        runs[-1][-1].append(one)
    return history, runs


@st.composite
def limits(draw: st.DrawFn) -> dict[str, int]:
    """Sizes that cut small files into blocks and make a load store keys early and often."""
    few = st.sampled_from([0, 1, 2, 5, 10_000])
    return {
        "ingestion.landing.containers.PIECE": draw(st.sampled_from([300, 1 << 20])),
        "ingestion.landing.blocks.BLOCK": draw(st.sampled_from([1, 700, 6 << 20])),
        "ingestion.storing.bloom_filter._WORDS": draw(st.sampled_from([1, 8, 1 << 10])),
        "ingestion.file_load._HELD": draw(few),
        "ingestion.storing.key_table._DEFERRED": draw(few),
        "ingestion.storing.key_table._RECENT_BYTES": draw(st.sampled_from([0, 48 << 20])),
    }


def expected(history: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Rule 40, but for ties, which only the hash decides."""
    kept: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in history:
        kept.setdefault((one["tenant_id"], one["event_id"]), []).append(one)
    return {
        identity: {"received": min(one["received_at"] for one in bodies), "bodies": bodies}
        for identity, bodies in kept.items()
    }


@given(deliveries(), limits())
@settings(
    max_examples=25,
    deadline=None,
    phases=QUICK,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_delivery_ends_in_the_same_rows(
    loading: Loading,
    delivery: tuple[list[dict[str, Any]], list[list[list[bytes]]]],
    sizes: dict[str, int],
) -> None:
    history, runs = delivery
    loading.reset()
    loading.put("events/upcoach/all.jsonl", [json.dumps(one).encode() for one in history])
    loading.load()
    at_once, conflicts = loading.events(), conflict_log(loading)

    loading.reset()
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(name, size)
        for run, files in enumerate(runs):
            for number, lines in enumerate(files):
                loading.put(f"events/upcoach/{run}-{number}.jsonl", lines)
            loading.load()
            assert loading.unaccounted() == 0
    assert loading.events() == at_once
    assert conflict_log(loading) == conflicts

    wanted = expected(history)
    assert len(at_once) == len(wanted)
    columns = loading.rows(
        'select tenant_id::text, event_id::text, to_char(received_at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\'),'
        " to_char(occurred_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), (properties ->> 'goal_id')::int"
        " from raw_events.events"
    )
    for tenant, event_id, received, occurred, goal in columns:
        want = wanted[(tenant, event_id)]
        assert received == want["received"]
        assert any(
            (b["received_at"], b["occurred_at"], b["properties"]["goal_id"])
            == (received, occurred, goal)
            for b in want["bodies"]
        )
