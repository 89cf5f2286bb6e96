"""What the receiver accepts, refuses, and keeps when it is killed (rule 43)."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest

from serving.receiver.audit import import_spool
from tallyhouse.database import Warehouse
from tests.patience import PATIENCE, wait_until
from tests.python.serving.receiver.conftest import AUTHORIZATION, SECRETS, Running, start

pytestmark = pytest.mark.slow

EVENT = b'{\n "id": "evt_1",\r\n "type": "invoice.paid",\n "big": 9007199254740993\n}'


def signature(body: bytes, secret: str, at: int | None = None) -> str:
    """Stripe's scheme: HMAC-SHA256 of `timestamp.body`."""
    moment = int(time.time()) if at is None else at
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


def post_stripe(receiver: Running, body: bytes, header: str) -> httpx.Response:
    return httpx.post(
        f"{receiver.url}/webhooks/stripe/acct_upcoach",
        content=body,
        headers={"Stripe-Signature": header},
    )


@pytest.mark.parametrize("secret", SECRETS)
def test_stripe_signed_by_either_secret_is_stored_digit_for_digit(
    receiver: Running, secret: str
) -> None:
    assert post_stripe(receiver, EVENT, signature(EVENT, secret)).status_code == 200
    (line,) = receiver.lines("stripe/acct_upcoach")
    assert json.loads(line) == json.loads(EVENT)
    assert b"9007199254740993" in line


def test_what_stripe_did_not_sign_is_refused_and_audited_without_its_body(
    receiver: Running, fresh_database: Callable[..., Warehouse]
) -> None:
    good = signature(EVENT, SECRETS[0])
    stale = signature(EVENT, SECRETS[0], at=int(time.time()) - 301)
    assert post_stripe(receiver, EVENT + b" ", good).status_code == 400
    assert post_stripe(receiver, EVENT, signature(EVENT, "whsec_other")).status_code == 400
    assert post_stripe(receiver, EVENT, stale).status_code == 400
    assert post_stripe(receiver, EVENT, "").status_code == 400
    other = httpx.post(f"{receiver.url}/webhooks/stripe/acct_nobody", content=EVENT)
    assert other.status_code == 404
    assert not receiver.lines("stripe")

    spool = receiver.home / "audit_spool"
    wait_until(
        lambda: sum(1 for f in spool.rglob("*.jsonl") for _ in f.open()) == 5, "not all is written"
    )
    database = fresh_database("audit", prepared=True)
    assert import_spool(spool, database).moved == 5
    assert import_spool(spool, database).moved == 0
    with database.connect() as connection:
        assert refusals(connection) == {"bad_signature": 4, "unknown_account": 1}
        text = connection.execute(
            "select string_agg(l::text, '') from governance.analytics_audit_log l"
        )
        assert "evt_1" not in str(text.fetchone())


def refusals(connection: psycopg.Connection) -> dict[str, int]:
    return dict(
        connection.execute(
            "select details ->> 'reason', count(*) from governance.analytics_audit_log group by 1"
        ).fetchall()
    )


def test_revenuecat_needs_its_header(receiver: Running) -> None:
    url = f"{receiver.url}/webhooks/revenuecat/upcoach"
    body = b'{"api_version": "1.0", "event": {"id": "a"}}'
    assert httpx.post(url, content=body, headers={"Authorization": "Bearer x"}).status_code == 401
    assert httpx.post(url, content=body, headers={"Authorization": AUTHORIZATION}).is_success
    assert [json.loads(line) for line in receiver.lines("revenuecat/upcoach")] == [json.loads(body)]


def test_events_get_the_tenant_of_their_key_and_the_time_of_arrival(receiver: Running) -> None:
    url = f"{receiver.url}/events/rostracore"
    headers = {"X-Api-Key": receiver.key}
    one = {"event_id": "1", "event_name": "dashboard_viewed", "received_at": "1999-01-01"}
    assert httpx.post(url, json=one, headers=headers).json() == {"stored": 1}
    batch = gzip.compress(json.dumps([{"event_id": "2"}, {"event_id": "3", "org_id": 7}]).encode())
    packed = {**headers, "Content-Encoding": "gzip"}
    assert httpx.post(url, content=batch, headers=packed).json() == {"stored": 2}
    lines = b'{"event_id": "4"}\n{"event_id": "5"}\n'
    assert httpx.post(url, content=lines, headers=headers).json() == {"stored": 2}

    stored = sorted((json.loads(x) for x in receiver.lines("events")), key=lambda e: e["event_id"])
    assert [event["event_id"] for event in stored] == ["1", "2", "3", "4", "5"]
    assert {event["org_id"] for event in stored} == {"7"}
    assert all(event["received_at"] > "2020" for event in stored)


def test_a_key_speaks_for_its_tenant_and_product_alone(receiver: Running) -> None:
    headers = {"Authorization": f"Bearer {receiver.key}"}
    other = {"event_id": "1", "org_id": 8}
    url = f"{receiver.url}/events/"
    assert httpx.post(url + "rostracore", json=other, headers=headers).status_code == 403
    assert httpx.post(url + "upcoach", json={}, headers=headers).status_code == 401
    assert httpx.post(url + "rostracore", json={}).status_code == 401
    assert not receiver.lines("events")


def test_bodies_over_the_limit_and_bombs_are_refused(receiver: Running) -> None:
    big = b'{"x": "' + b"a" * (1 << 20) + b'"}'
    assert post_stripe(receiver, big, signature(big, SECRETS[0])).status_code == 413
    bomb = gzip.compress(b" " * (64 << 20))
    headers = {"X-Api-Key": receiver.key, "Content-Encoding": "gzip"}
    url = f"{receiver.url}/events/rostracore"
    assert httpx.post(url, content=bomb, headers=headers).status_code == 413
    assert httpx.post(url, content=bomb[:99], headers=headers).status_code == 400
    for nonsense in (b"", b"[", b"[1]", b"\xff", b'{"a": NaN}'):
        answer = httpx.post(url, content=nonsense, headers={"X-Api-Key": receiver.key})
        assert answer.status_code == 400, nonsense
    assert not receiver.lines("events")


def test_a_folder_that_cannot_be_written_is_said_and_nothing_acknowledged(
    receiver: Running,
) -> None:
    (receiver.landing / "stripe").write_text("a file where a folder should be")
    answer = post_stripe(receiver, EVENT, signature(EVENT, SECRETS[0]))
    assert answer.status_code == 503
    (receiver.landing / "stripe").unlink()
    assert post_stripe(receiver, EVENT, signature(EVENT, SECRETS[0])).status_code == 200


def test_killed_ten_times_in_mid_load_whatever_was_acknowledged_is_there(tmp_path: Path) -> None:
    started: list[Running] = []
    acknowledged_count = lost_count = 0
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        receiver = start(folder, started.append)
        try:
            acknowledged = asyncio.run(hammer(receiver, clients=40, kill_after=40 + 20 * number))
        finally:
            receiver.kill()
        stored = {json.loads(line)["event_id"] for line in receiver.lines("events")}
        assert len(acknowledged) >= 40 + 20 * number
        acknowledged_count += len(acknowledged)
        lost_count += len(acknowledged - stored)
    print(f"{acknowledged_count} acknowledged over 10 kills, {lost_count} lost")
    assert lost_count == 0


def test_more_than_it_can_hold_is_shed_with_429_and_the_rest_is_stored(receiver: Running) -> None:
    answers = asyncio.run(flood(receiver, requests=400))
    assert set(answers.values()) == {200, 429}
    stored = {json.loads(line)["event_id"] for line in receiver.lines("events")}
    assert {name for name, status in answers.items() if status == 200} == stored
    assert httpx.get(receiver.url + "/health").json()["in_flight"] == 0


async def hammer(receiver: Running, clients: int, kill_after: int) -> set[str]:
    """Post from many clients until the receiver is killed in mid-load; return what it answered."""
    acknowledged: set[str] = set()

    async def client(number: int) -> None:
        async with httpx.AsyncClient(headers={"X-Api-Key": receiver.key}, timeout=PATIENCE) as http:
            for count in itertools.count():
                name = f"{number}-{count}"
                try:
                    answer = await http.post(
                        f"{receiver.url}/events/rostracore", json={"event_id": name}
                    )
                except httpx.TransportError:
                    return
                if answer.is_success:
                    acknowledged.add(name)
                if len(acknowledged) >= kill_after:
                    receiver.process.kill()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return acknowledged


async def flood(receiver: Running, requests: int) -> dict[str, int]:
    """Send all requests at once over as many connections."""
    limits = httpx.Limits(max_connections=requests)
    headers = {"X-Api-Key": receiver.key}
    async with httpx.AsyncClient(limits=limits, timeout=PATIENCE, headers=headers) as http:

        async def send(name: str) -> tuple[str, int]:
            url = f"{receiver.url}/events/rostracore"
            return name, (await http.post(url, json={"event_id": name})).status_code

        return dict(await asyncio.gather(*(send(str(number)) for number in range(requests))))
