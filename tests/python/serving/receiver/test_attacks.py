"""One caller cannot stop the others, and what is acknowledged is stored in every byte (rule 77).

Belongs here: hostile and broken callers. Does not belong here: proofs and ordinary bodies.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from serving.receiver.credentials import read_credentials
from tallyhouse.errors import TallyhouseError
from tests.patience import PATIENCE, wait_until
from tests.python.serving.receiver.conftest import SECRETS, Running, start
from tests.python.serving.receiver.test_receiver import EVENT, post_stripe, signature

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One receiver that all attacks of this module meet, the one after the other."""
    started: list[Running] = []
    yield start(tmp_path_factory.mktemp("attacked"), started.append)
    for running in started:
        running.kill()


@pytest.fixture
def receiver(attacked: Running) -> Running:
    """That receiver, with nothing landed yet."""
    for file in [*attacked.landing.rglob("*.jsonl"), *attacked.home.rglob("audit/**/*.jsonl")]:
        file.unlink()
    return attacked


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Running]:
    """A receiver that gives a header and a body one second, and lets forty connections wait."""
    started: list[Running] = []
    options = ["--header-seconds", "1", "--body-seconds", "1", "--max-waiting", "40"]
    yield start(tmp_path, started.append, options=options)
    for running in started:
        running.kill()


def post_packed(receiver: Running, body: bytes) -> httpx.Response:
    headers = {"X-Api-Key": receiver.key, "Content-Encoding": "gzip"}
    url = f"{receiver.url}/events/rostracore"
    return httpx.post(url, content=body, headers=headers, timeout=PATIENCE)


def events_of(receiver: Running) -> list[str]:
    return sorted(json.loads(line)["event_id"] for line in receiver.lines("events"))


def is_served(receiver: Running) -> bool:
    """Whether another caller is served while the others still wait: before the receiver gives them up."""
    health = httpx.get(receiver.url + "/health", timeout=9)
    return (
        health.is_success and post_stripe(receiver, EVENT, signature(EVENT, SECRETS[0])).is_success
    )


def test_all_members_of_a_gzip_body_are_stored(receiver: Running) -> None:
    first, second = b'{"event_id": "1"}\n{"event_id": "2"}\n', b'{"event_id": "3"}\n'
    answer = post_packed(receiver, gzip.compress(first) + gzip.compress(second))
    assert answer.json() == {"stored": 3}
    # a member may end in the middle of a record
    cut = gzip.compress(b'[{"event_id": "4"},{"event') + gzip.compress(b'_id": "5"}]')
    assert post_packed(receiver, cut).json() == {"stored": 2}
    assert events_of(receiver) == ["1", "2", "3", "4", "5"]


def test_a_gzip_body_that_is_not_wholly_gzip_is_refused(receiver: Running) -> None:
    good = gzip.compress(b'{"event_id": "1"}')
    for tail in (b"\0", b"junk", good[:-3], b"\x1f\x8b", gzip.compress(b" " * (17 << 20))):
        answer = post_packed(receiver, good + tail)
        assert answer.status_code in (400, 413), tail[:9]
    assert post_packed(receiver, b"").status_code == 400
    assert events_of(receiver) == []


def test_a_small_body_that_expands_to_millions_of_objects_costs_little_memory(
    receiver: Running,
) -> None:
    for bomb in (b"[" + b"{}," * (5 << 20) + b"{}]", b"{}\n" * (5 << 20), b"[" * (16 << 20),
                 b'{"a":[' + b"[]," * (5 << 20) + b"1]}", b"[" + b"{}," * 60_000 + b"{}]"):  # fmt: skip
        packed = gzip.compress(bomb[: 16 << 20])
        assert len(packed) < 50_000
        assert post_packed(receiver, packed).status_code in (400, 413)
    assert is_served(receiver)
    assert events_of(receiver) == []
    assert peak_memory(receiver) < 500 << 20


def peak_memory(receiver: Running) -> int:
    """Bytes that the process had in memory at most."""
    status = Path(f"/proc/{receiver.process.pid}/status").read_text("ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) << 10


@contextlib.contextmanager
def half_sent(receiver: Running, count: int, text: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have each said the beginning of something."""
    address = urlsplit(receiver.url)
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            connection = socket.create_connection(
                (address.hostname, address.port), timeout=PATIENCE
            )
            stack.enter_context(connection)
            with contextlib.suppress(OSError):
                connection.sendall(text)
            made.append(connection)
        yield made


HALF_A_BODY = (
    b"POST /webhooks/stripe/acct_upcoach HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n{"
)
HALF_A_HEADER = b"POST /webhooks/stripe/acct_upcoach HTTP/1.1\r\nhost: x\r\nx-a: "


@pytest.mark.parametrize("text", [HALF_A_BODY, HALF_A_HEADER, b"", b"PO"])
def test_calls_that_never_end_stop_nobody(receiver: Running, text: bytes) -> None:
    with half_sent(receiver, 600, text):
        assert is_served(receiver)
    assert len(receiver.lines("stripe")) == 1


def test_health_answers_throughout_all_attacks(receiver: Running) -> None:
    """Asked twenty times a second while they come one after the other; each answer in time."""
    answers: list[tuple[int, float]] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            while not done.wait(0.05):
                began = time.monotonic()
                status = http.get(receiver.url + "/health").status_code
                answers.append((status, time.monotonic() - began))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        test_all_members_of_a_gzip_body_are_stored(receiver)
        for tail in (b"\0", b"junk", gzip.compress(b" " * (17 << 20))):
            assert not post_packed(receiver, gzip.compress(b"{}") + tail).is_success
        for bomb in (b"[" + b"{}," * (5 << 20) + b"{}]", b"[" * (16 << 20), b"{}\n" * (5 << 20)):
            assert not post_packed(receiver, gzip.compress(bomb[: 16 << 20])).is_success
        for text in (HALF_A_BODY, HALF_A_HEADER, b"", b"PO"):
            with half_sent(receiver, 300, text):
                time.sleep(0.5)
        test_an_endless_header_is_refused(receiver)
        httpx.post(receiver.url + "/webhooks/stripe/a%00b", content=b"{}")
    finally:
        done.set()
        asking.join(PATIENCE)
    slowest = max(seconds for _, seconds in answers)
    print(f"{len(answers)} answers of /health during attacks, the slowest after {slowest:.2f} s")
    assert {status for status, _ in answers} == {200}
    assert len(answers) > 30 and slowest < 60


def test_an_endless_header_is_refused(receiver: Running) -> None:
    with half_sent(receiver, 3, HALF_A_HEADER) as connections:
        for connection in connections:
            with pytest.raises(OSError):
                for _ in range(1000):
                    connection.sendall(b"a" * 65_536)
        assert is_served(receiver)
    assert peak_memory(receiver) < 300 << 20


@pytest.mark.parametrize("text", [HALF_A_BODY, HALF_A_HEADER])
def test_what_does_not_come_in_time_is_told_so_and_closed(impatient: Running, text: bytes) -> None:
    with half_sent(impatient, 1, text) as (connection,):
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")
        assert connection.recv(4096) == b""


def test_one_byte_now_and_then_gains_no_time(impatient: Running) -> None:
    with half_sent(impatient, 1, HALF_A_BODY) as (connection,):
        connection.settimeout(0.2)
        answer = b""
        for _ in range(50):
            with contextlib.suppress(TimeoutError):
                answer = connection.recv(4096)
                break
            connection.sendall(b"a")
        assert answer.startswith(b"HTTP/1.1 408")


def test_beyond_a_number_the_oldest_that_waits_is_closed(impatient: Running) -> None:
    with half_sent(impatient, 41, HALF_A_HEADER) as connections:
        assert connections[0].recv(4096).startswith(b"HTTP/1.1 408")
        assert is_served(impatient)


def test_a_path_with_a_nul_is_answered_and_audited(receiver: Running) -> None:
    assert httpx.post(receiver.url + "/webhooks/stripe/a%00b", content=b"{}").status_code == 404
    spool = receiver.home / "audit_spool"
    wait_until(
        lambda: any(file.read_text("utf-8") for file in spool.rglob("audit/**/*.jsonl")),
        "nothing was noted",
    )
    (file,) = spool.rglob("audit/**/*.jsonl")
    assert json.loads(file.read_text("utf-8"))["resource"] == "/webhooks/stripe/a\ufffdb"


def test_what_is_received_can_be_read_by_its_owner_alone(receiver: Running) -> None:
    assert is_served(receiver)
    for path in (receiver.landing / "stripe").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"revenuecat": {"upcoach": [""]}}, "revenuecat.upcoach.0"),
        ({"revenuecat": {"upcoach": ["   "]}}, "revenuecat.upcoach.0"),
        ({"revenuecat": {"upcoach": []}}, "revenuecat.upcoach"),
        ({"stripe": {"acct_upcoach": ["whsec_long_enough", ""]}}, "stripe.acct_upcoach.1"),
        ({"stripe": {"acct_upcoach": [None]}}, "stripe.acct_upcoach.0"),
        ({"keys": [{"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                    "product": "rostracore", "tenant": "7"}]}, "keys.0.sha256"),
    ],
)  # fmt: skip
def test_empty_secrets_are_refused_with_their_place(
    tmp_path: Path, given: dict[str, object], place: str
) -> None:
    file = tmp_path / "serving.yml"
    file.touch(0o600)
    file.write_text(
        yaml.safe_dump(
            {**given, "stripe": {"acct_a": ["whsec_not_to_be_told"], **given.get("stripe", {})}}
        )
    )  # type: ignore[dict-item]
    with pytest.raises(TallyhouseError) as refused:
        read_credentials(file)
    assert place in str(refused.value)
    assert "whsec_not_to_be_told" not in str(refused.value)
