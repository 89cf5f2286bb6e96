"""Whatever is posted, the receiver answers with a refusal or keeps it: never with an error of its own."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

import httpx
import pytest

from tests.patience import PATIENCE
from tests.python.ingestion.odd_lines import ODD_LINES, ODD_VALUES, odd_line
from tests.python.serving.receiver.conftest import AUTHORIZATION, SECRETS, Running
from tests.python.serving.receiver.test_receiver import signature

pytestmark = pytest.mark.slow
ANSWERS = {200, 400, 401, 403, 404, 413, 415}
GOOD = [json.dumps({"event_id": "1", "event_name": "dashboard_viewed", "org_id": 7,
                    "properties": {"a": [1, {"b": 2.5}]}}).encode()]  # fmt: skip


def bodies() -> list[bytes]:
    rng = random.Random(43)
    odd = [json.dumps(value).encode("utf-8", "surrogatepass") for value in ODD_VALUES]
    lists = [b"[" + one + b"," + GOOD[0] + b"]" for one in odd]
    return [*ODD_LINES, *odd, *lists, *(odd_line(GOOD, rng) for _ in range(250)),
            b"\n".join([*GOOD, b"", *GOOD]), b"\n".join([*GOOD, b"junk"])]  # fmt: skip


def send(http: httpx.Client, folder: str, body: bytes, key: str) -> httpx.Response:
    if folder.startswith("stripe"):
        return http.post("/webhooks/stripe/acct_upcoach", content=body,
                         headers={"Stripe-Signature": signature(body, SECRETS[0])})  # fmt: skip
    if folder.startswith("revenuecat"):
        headers = {"Authorization": AUTHORIZATION}
        return http.post("/webhooks/revenuecat/upcoach", content=body, headers=headers)
    return http.post("/events/rostracore", content=body, headers={"X-Api-Key": key})


@pytest.mark.parametrize(
    "folder", ["stripe/acct_upcoach", "revenuecat/upcoach", "events/rostracore"]
)
def test_odd_bodies(receiver: Running, folder: str) -> None:
    stored = refused = 0
    with httpx.Client(base_url=receiver.url, timeout=PATIENCE) as http:
        for body in bodies():
            answer = send(http, folder, body, receiver.key)
            assert answer.status_code in ANSWERS, (answer.status_code, body[:200])
            if answer.status_code == 200:
                stored += answer.json()["stored"]
            else:
                refused += 1
                assert answer.json()["error"].endswith(".")
    lines = receiver.lines(folder)
    assert stored == len(lines) and stored > 50 and refused > 50
    for line in lines:
        assert isinstance(json.loads(line, parse_constant=not_json), dict)


def not_json(text: str) -> Any:
    raise AssertionError(f"{text} was written, which is not JSON")


def test_odd_encodings_and_headers(receiver: Running) -> None:
    key = {"X-Api-Key": receiver.key}
    packed = gzip.compress(GOOD[0])
    rng = random.Random(44)
    with httpx.Client(base_url=receiver.url, timeout=PATIENCE) as http:
        for number in range(200):
            broken = bytearray(packed)
            for _ in range(rng.randint(1, 3)):
                broken[rng.randrange(len(broken))] = rng.randrange(256)
            body = bytes(broken[: rng.randint(0, len(broken))]) if number % 2 else bytes(broken)
            headers = {**key, "Content-Encoding": "gzip"}
            answer = http.post("/events/rostracore", content=body, headers=headers)
            assert answer.status_code in ANSWERS, (answer.status_code, body)
        for name, value in (
            ("Content-Encoding", "br"), ("Content-Encoding", "gzip, gzip"), ("X-Api-Key", "\xff\xfe"),
            ("X-Api-Key", "x" * 8000), ("Authorization", "Bearer " + "\xe9" * 50),
            ("Authorization", ""), ("Stripe-Signature", "t=,v1="), ("Stripe-Signature", "\xff"),
            ("Stripe-Signature", "t=" + "9" * 400 + ",v1=ab"), ("Stripe-Signature", "v1=" + "a," * 999),
            ("Stripe-Signature", "t=-1,v1=\xb2"), ("Content-Type", "\xff"),
        ):  # fmt: skip
            for path in ("/events/rostracore", "/webhooks/stripe/acct_upcoach",
                         "/webhooks/revenuecat/upcoach"):  # fmt: skip
                answer = http.post(path, content=GOOD[0], headers={name: value.encode("latin-1")})
                assert answer.status_code in ANSWERS, (answer.status_code, path, name, value)
        for path in ("/events/%00", "/events/..%2f..%2fetc", "/webhooks/stripe/%ff", "/events/",
                     "/webhooks/stripe/" + "a" * 5000):  # fmt: skip
            answer = http.post(path, content=GOOD[0], headers=key)
            assert answer.status_code in ANSWERS, (answer.status_code, path)
