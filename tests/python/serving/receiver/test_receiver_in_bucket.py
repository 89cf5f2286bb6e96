"""The receiver before a landing folder in a bucket: what it answered 2xx lies there."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.landing.listing import open_landing
from orchestration.landing_state import landing_fingerprint
from tallyhouse.storage import StorageError
from tests.patience import PATIENCE
from tests.python.object_store import NO_ANSWER, UNAVAILABLE, FaultyLine, ObjectStore
from tests.python.serving.receiver.conftest import SECRETS, Running, start
from tests.python.serving.receiver.test_receiver import EVENT, hammer, post_stripe, signature

pytestmark = pytest.mark.slow
LANDING = "s3://tally/landing"


@pytest.fixture
def receiver(tmp_path: Path, line: FaultyLine) -> Iterator[Running]:
    started: list[Running] = []
    yield start(tmp_path, started.append, LANDING)
    for running in started:
        running.kill()


def stored(store: ObjectStore, folder: str) -> list[bytes]:
    keys = store.keys(f"landing/{folder}/")
    return [one for key in keys for one in store.get(key).splitlines()]


def test_it_lands_where_the_loader_looks_and_the_sensor_wakes(
    receiver: Running, store: ObjectStore
) -> None:
    assert landing_fingerprint(LANDING) == ("", 0)
    assert post_stripe(receiver, EVENT, signature(EVENT, SECRETS[0])).status_code == 200
    (held,) = stored(store, "stripe/acct_upcoach")
    assert json.loads(held) == json.loads(EVENT)
    (file,) = open_landing(LANDING).files()
    assert (file.kind, file.name) == ("stripe", "acct_upcoach")
    first = landing_fingerprint(LANDING)
    assert first[1] == 1 and landing_fingerprint(LANDING) == first
    store.put(f"landing/{file.path}", b"{}")
    assert landing_fingerprint(LANDING)[0] != first[0]
    with pytest.raises(StorageError, match="does not exist"):
        landing_fingerprint("s3://nobody/landing")


def test_killed_in_mid_load_whatever_was_acknowledged_is_there(
    receiver: Running, store: ObjectStore
) -> None:
    acknowledged = asyncio.run(hammer(receiver, clients=20, kill_after=100))
    assert len(acknowledged) >= 100
    assert acknowledged <= {json.loads(one)["event_id"] for one in stored(store, "events")}


@pytest.mark.parametrize("how", [NO_ANSWER, UNAVAILABLE])
def test_a_store_that_does_not_answer_is_503_and_later_200(
    receiver: Running, store: ObjectStore, line: FaultyLine, how: str
) -> None:
    line.nth("PUT", "landing", range(1000), how)
    assert post_stripe(receiver, EVENT, signature(EVENT, SECRETS[0])).status_code == 503
    line.heal()
    assert post_stripe(receiver, EVENT, signature(EVENT, SECRETS[0])).status_code == 200
    assert stored(store, "stripe")


def test_a_landing_that_cannot_be_reached_is_one_sentence_at_the_start(
    store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "serving.yml").touch(0o600)
    for place, reason in (
        ("s3://nobody/landing", "the bucket nobody does not exist"),
        ("gs://nobody/landing", "neither a folder nor s3://bucket/prefix"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "serving", "--port", "0"],
            env={
                **os.environ,
                "TALLYHOUSE_HOME": str(tmp_path),
                "TALLYHOUSE_SERVING_FILE": "",
                "TALLYHOUSE_LANDING": place,
            },
            cwd=Path(__file__).parents[4],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ended.returncode == 1
        (sentence,) = ended.stderr.strip().splitlines()
        assert reason in sentence and "TALLYHOUSE_LANDING" in sentence
