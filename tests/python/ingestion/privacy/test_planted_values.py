"""Values that name a person, planted in every source and on every path, are readable nowhere that data rests.

Loaded by Dagster's own job from files and refused by the receiver; then every table, the lake, the logs, the Data
Docs, the receiver's spool and Dagster's storage are searched for each of them, and for what a dictionary would make
of it without the key (rule 74).
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.dataset as ds
import pytest

from app import guard, pipeline
from ingestion.values.identity import record_key, uuid_text
from orchestration.definitions import defs
from serving.receiver.audit import SPOOL, AuditLog
from tallyhouse.database import Warehouse, find_warehouse
from tallyhouse.settings import Settings
from tests.keys import put_key

pytestmark = pytest.mark.slow
KEY = bytes(range(32))
TENANTS = ("5c0ac4e0-0005-4a00-8000-000000000001", "5c0ac4e0-0005-4a00-8000-000000000002")
CONTRACT = """
kind: cdc
product: shop
tables:
  people:
    primary_key: [id]
    tenant: org
    user: login
    columns:
      id: integer
      org: text
      login: text
      mail: {type: text, personal: token}
      note: {type: text, personal: drop}
      extras: jsonb
      customer_id: text
      home_lat: {type: double precision, personal: round}
      home_lng: {type: 'numeric(9,6)', personal: round}
      visits: integer
  cards:
    primary_key: [holder]
    columns: {holder: {type: text, personal: token}, points: integer}
  numbers:
    primary_key: [number]
    user: number
    columns: {number: bigint, points: integer}
"""
BANKS = ("NL", "ABNA"), ("GB", "WEST"), ("DE", "")


def luhn(digits: str) -> str:
    """The digits with their check digit behind them."""
    doubled = [int(d) * (2 - n % 2) for n, d in enumerate(reversed(digits))]
    return digits + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def iban(number: int) -> str:
    country, bank = BANKS[number % 3]
    body = (
        bank
        + str(10**9 + number * 7_919).zfill(18 if country != "NL" else 10)[
            -(18 if country != "NL" else 10) :
        ]
    )
    if country == "GB":
        body = bank + f"{number:06d}{31_926_819 + number}"
    numeric = "".join(str(int(letter, 36)) for letter in f"{body}{country}00")
    return f"{country}{98 - int(numeric) % 97:02d}{body}"


def bsn(number: int) -> str:
    for candidate in range(123_450_000 + number * 40, 999_999_999):
        weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
        if sum(int(d) * w for d, w in zip(str(candidate), weights, strict=True)) % 11 == 0:
            return str(candidate)
    raise AssertionError


@dataclass
class Garden:
    """Every value once, by its kind; `planted` is what must not be found."""

    number: int = 0
    planted: dict[str, str] = field(default_factory=dict)  # what is searched for → its kind
    people: list[str] = field(default_factory=list)  # ids that stood for a person

    def value(self, kind: str) -> str:
        self.number += 1
        n = self.number
        made = {
            "email": f"Vera.Plant{n}x@secret{n}.example",
            "encoded": f"vera.plant{n}x%40secret{n}.example",
            "phone": f"+2782{5_550_000 + n}",
            "local phone": f"082{4_440_000 + n}",
            "mobile": f"316{12_340_000 + n}",
            "iban": iban(n),
            "card": luhn(f"411111{n:09d}"),
            "national id": luhn(f"80{1 + n % 12:02d}15{5000 + n}08"),
            "bsn": bsn(n),
            "ssn": f"{100 + n % 500}-{10 + n % 80}-{2000 + n}",
            "ipv4": f"203.0.{n % 200 + 20}.{n % 150 + 100}",
            "ipv6": f"2001:db8:{n:x}:77:1::{n + 4096:x}",
            "mapped": f"::ffff:198.51.{n % 200 + 20}.{n % 150 + 100}",
            "mac": f"00:1b:44:{n // 256:02x}:{n % 256:02x}:b7",
            "name": f"Veronika Plantinga{n}x",
            "device": f"ab{n:06d}-dev-{n:04d}-77",
            "secret": f"hidden{n:05d}value",
            "place": f"-33.9{n:04d}7",
        }[kind]
        shown = made.removeprefix("::ffff:")
        self.planted[shown.lower()] = kind
        if kind in ("encoded", "email"):
            self.planted[f"vera.plant{n}x"] = kind
        return made

    def text(self, kind: str) -> str:
        """A value as it stands in a text of somebody's."""
        if kind == "secret":
            return f"https://x.example/a?session={self.value(kind)}&page=2"
        if kind == "place":
            return f"met at {self.value(kind)}, 18.4240557 yesterday"
        return f"about {self.value(kind)} it was"

    def logins(self) -> list[str]:
        """Ids of people as those who sign them in write them."""
        made = [
            f"auth0|{self.value('email')}",
            f"whatsapp:{self.value('phone')}",
            f"mailto:{self.value('email')}",
        ]
        self.people += made
        return made

    def person(self, kind: str) -> str:
        """A value as the id of somebody."""
        made = self.value(kind)
        self.people.append(made)
        return made


IN_TEXTS = ("email", "encoded", "phone", "local phone", "mobile", "iban", "card", "national id", "bsn", "ssn", "ipv4",
            "ipv6", "mapped", "mac", "secret", "place")  # fmt: skip
AS_IDS = (
    "email",
    "encoded",
    "phone",
    "local phone",
    "mobile",
    "national id",
    "bsn",
    "card",
    "iban",
    "ipv4",
    "mac",
)
UNDER_KEYS = {
    "first_name": "name",
    "customer_name": "name",
    "name": "name",
    "street": "name",
    "tax_id": "ssn",
    "id_number": "national id",
    "gps_adid": "device",
    "device_id": "device",
    "ip": "ipv4",
    "password": "secret",
}


def jsons(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def events(garden: Garden) -> Iterator[bytes]:
    number = 0

    def event(**changes: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        return {
            "event_id": f"00000000-0000-4000-8000-{number:012d}", "event_name": "goal_viewed",
            "occurred_at": "2026-03-01T10:00:00Z", "received_at": "2026-03-01T10:00:05Z",
            "tenant_id": TENANTS[number % 2], "user_id": f"u{number}", "session_id": "s-1", "properties": {}, **changes,
        }  # fmt: skip

    good = [event(properties={"goal_id": 1, "remark": garden.text(kind)}) for kind in IN_TEXTS]
    good += [event(properties={"a": {"b": [{"c": garden.text(kind)}]}}) for kind in IN_TEXTS]
    good += [event(properties={key: garden.value(kind)}) for key, kind in UNDER_KEYS.items()]
    good += [
        event(properties={garden.value(kind): 1}) for kind in ("email", "phone", "bsn", "card")
    ]
    good += [event(properties={"reader_id": garden.person(kind)}) for kind in AS_IDS]
    good += [event(properties={"spot": {"lat": float(garden.value("place")), "lng": 18.4240557}})]
    good += [event(extra_field=garden.text(kind)) for kind in ("email", "iban", "ipv4")]
    for place in ("user_id", "anonymous_id", "session_id", "tenant_id"):
        good += [event(**{place: login}) for login in garden.logins()]
        good += [event(**{place: garden.person(kind)}) for kind in AS_IDS]
    good += [
        event(event_id=garden.person(kind)) for kind in ("email", "phone", "card", "national id")
    ]
    good += [event(context={"ip": garden.value("ipv4"), "device_type": garden.text("email")})]
    yield jsons(good)
    refused = [event(event_name=garden.value(kind)) for kind in ("email", "phone", "bsn", "name")]
    refused += [event(event_name=None, properties={"x": garden.text(kind)}) for kind in IN_TEXTS]
    refused += [event(occurred_at=garden.value("email")), event(tenant_id=[garden.value("phone")])]
    broken = f'{{"event_id": "1", "who": "{garden.value("email")}", '
    yield jsons(refused) + broken.encode() + b"\n"


def stripe(garden: Garden) -> Iterator[bytes]:
    number = 0

    def event(held: dict[str, Any], **changes: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        return {"id": f"evt_{number}", "object": "event", "type": "customer.updated", "livemode": True,
                "created": 1_770_000_000, "api_version": "2020-08-27", "data": {"object": held}, **changes}  # fmt: skip

    def customer(**changes: Any) -> dict[str, Any]:
        return {"id": f"cus_{number}", "object": "customer", "balance": 5,
                "metadata": {"tenant_id": "t1"}, **changes}  # fmt: skip

    good = [
        event(customer(metadata={"tenant_id": "t1", "remark": garden.text(kind)}))
        for kind in IN_TEXTS
    ]
    good += [event(customer(description=garden.text(kind))) for kind in ("name", "email", "card")]
    good += [
        event(customer(metadata={"tenant_id": "t1", "user_id": garden.person(kind)}))
        for kind in AS_IDS
    ]
    good += [
        event(customer(metadata={"tenant_id": "t1", "user_id": login})) for login in garden.logins()
    ]
    good += [event(customer(metadata={garden.value("email"): garden.value("name")}))]
    good += [
        event(
            customer(
                name=garden.value("name"), email=garden.value("email"), phone=garden.value("phone")
            )
        )
    ]
    good += [event(customer(address={"line1": garden.value("name"), "country": "ZA"}))]
    good += [
        event(customer(brand_new={"anything": garden.value("name"), "ref": garden.value("iban")}))
    ]
    good += [event(customer(status=garden.text("email"), currency=garden.value("email")))]
    good += [event({"id": "ch_1", "object": "charge", "customer": "cus_1", "amount": 5,
                    "billing_details": {"name": garden.value("name"), "email": garden.value("email")},
                    "payment_method_details": {"card": {"last4": "4242", "holder": garden.value("name")}},
                    "shipping": {"name": garden.value("name"), "tracking": garden.value("name")}})]  # fmt: skip
    good += [event({"id": "in_1", "object": "invoice", "customer": "cus_1", "customer_name": garden.value("name"),
                    "customer_tax_ids": [{"value": garden.value("ssn")}], "footer": garden.value("name"),
                    "custom_fields": [{"name": "Who", "value": garden.value("name")}]})]  # fmt: skip
    before = {
        "name": garden.value("name"),
        "email": garden.value("email"),
        "metadata": {"who": garden.value("name")},
    }
    good += [event(customer(), data={"object": customer(), "previous_attributes": before})]
    yield jsons(good)
    refused = [event(customer(email=garden.value("email")), created=garden.value("phone")),
               event(customer(name=garden.value("name")), id=None),
               event(customer(name=garden.value("name")), account=garden.value("email")),
               {"object": garden.value("email"), "email": garden.value("email")}]  # fmt: skip
    yield jsons(refused)


def revenuecat(garden: Garden) -> Iterator[bytes]:
    number = 0

    def body(attributes: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        given = {
            name: {"value": value, "updated_at_ms": 1} for name, value in (attributes or {}).items()
        }
        return {"api_version": "1.0", "event": {
            "id": f"rc-{number}", "type": "RENEWAL", "store": "APP_STORE", "environment": "PRODUCTION",
            "event_timestamp_ms": 1_770_000_000_000, "app_user_id": "u1", "subscriber_attributes": given, **changes,
        }}  # fmt: skip

    good = [body({"remark": garden.text(kind)}) for kind in IN_TEXTS]
    good += [body({"$displayName": garden.value("name"), "$email": garden.value("email"), "$ip": garden.value("ipv4"),
                   "$phoneNumber": garden.value("phone"), "$idfa": garden.value("device"),
                   garden.value("email"): "yes"})]  # fmt: skip
    good += [body(app_user_id=garden.person(kind)) for kind in AS_IDS]
    good += [body(app_user_id=login) for login in garden.logins()]
    good += [body(aliases=["u1", garden.person(kind)]) for kind in AS_IDS]
    good += [
        body(
            type="TRANSFER",
            transferred_from=[garden.person("phone")],
            transferred_to=[garden.person("bsn")],
        )
    ]
    good += [
        body(
            comment=garden.text("email"), nickname=garden.value("name"), store=garden.value("email")
        )
    ]
    yield jsons(good)
    yield jsons(
        [
            body(event_timestamp_ms=None, app_user_id=garden.person("email")),
            {"event": garden.value("email")},
        ]
    )


def changes(garden: Garden) -> Iterator[bytes]:
    number = 0

    def change(
        after: dict[str, Any],
        table: str = "people",
        op: str = "c",
        before: Any = None,
        **others: Any,
    ) -> dict[str, Any]:
        nonlocal number
        number += 1
        source = {
            "lsn": 1000 + number,
            "txId": number,
            "table": table,
            "schema": "public",
            "ts_ms": 1_770_000_000_000,
        }
        key = {name: after[name] for name in ("id", "holder", "number") if name in after}
        value = {
            "op": op,
            "before": before,
            "after": after,
            "source": source,
            "ts_ms": 1_770_000_000_100,
            **others,
        }
        return {"topic": f"shop.public.{table}", "key": key or None, "value": value}

    def person(**columns: Any) -> dict[str, Any]:
        return {"id": number + 1, "org": "o1", "login": "l1", "mail": None, "note": None, "extras": None, "visits": 1,
                "customer_id": None, "home_lat": None, "home_lng": None, **columns}  # fmt: skip

    good = [change(person(login=garden.person(kind))) for kind in AS_IDS]
    good += [change(person(login=login)) for login in garden.logins()]
    good += [change(person(customer_id=garden.person(kind))) for kind in AS_IDS]
    numbers = [int(garden.person(kind)) for kind in ("mobile", "card", "national id", "mobile")]
    good += [change({"number": number, "points": 1}, "numbers") for number in numbers]
    good += [change({"number": numbers[-1], "points": 2}, "numbers", op="u")]
    good += [change({"number": 5, "points": 2}, "numbers")]
    good += [change(person(mail=garden.value(kind))) for kind in IN_TEXTS]
    good += [change(person(note=garden.text(kind))) for kind in ("name", "email")]
    good += [change(person(extras=json.dumps({"remark": garden.text(kind)}))) for kind in IN_TEXTS]
    good += [change(person(extras=json.dumps({"user": {"name": garden.value("name")}})))]
    homes = [
        person(home_lat=float(garden.value("place")), home_lng=garden.value("place"))
        for _ in range(4)
    ]
    good += [change(homes[0]), change({**homes[0], "home_lat": garden.value("place")}, op="u"),
             change({**homes[1], "undeclared": float(garden.value("place"))}),
             change(homes[2], before=homes[3], op="u"),
             change({**homes[3], "home_lat": f"{garden.value('place')}S"})]  # fmt: skip
    good += [change(person(visits=garden.value(kind))) for kind in ("name", "email", "iban")]
    good += [change(person(undeclared=garden.value(kind))) for kind in (*IN_TEXTS, "name")]
    good += [change(person(**{garden.value("email"): 1}))]
    good += [change({"holder": garden.person(kind), "points": 1}, "cards") for kind in AS_IDS]
    good += [
        change({"id": garden.value(kind), "who": garden.value("name")}, "strangers")
        for kind in AS_IDS
    ]
    good += [change({"id": 1}, garden.value("email"))]
    yield jsons(good)
    refused = [change(person(note=garden.value("name")), op=garden.value("email")),
               change({"org": garden.value("name")}), change(person(), source=garden.value("phone"))]  # fmt: skip
    yield (
        jsons(refused) + f'{{"op": "c", "after": {{"who": "{garden.value("name")}"'.encode() + b"\n"
    )


@dataclass
class Planted:
    garden: Garden
    settings: Settings
    warehouse: Warehouse
    dagster: Path


@pytest.fixture(scope="module")
def planted(
    fresh_database: Callable[..., Warehouse], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    """Everything planted, loaded and looked at by the ways that people and Dagster take."""
    warehouse, folder = fresh_database("planted", prepared=True), tmp_path_factory.mktemp("planted")
    garden, landing = Garden(), folder / "landing"
    (folder / "contracts").mkdir()
    (folder / "contracts" / "shop.yml").write_text(CONTRACT)
    sources = {
        "events/upcoach": events,
        "stripe/acct_upcoach": stripe,
        "revenuecat/upcoach": revenuecat,
        "cdc/shop": changes,
    }
    for place, make in sources.items():
        for number, content in enumerate(make(garden)):
            target = landing / place / f"{number}.jsonl"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "DATABASE_URL": warehouse.url, "HOME": folder / "home", "LANDING": landing, "LAKE": folder / "lake",
            "PII_KEY_FILE": put_key(folder / "pii.key", KEY), "CONTRACTS": folder / "contracts",
        }.items():  # fmt: skip
            patch.setenv(f"TALLYHOUSE_{name}", str(value))
        settings = Settings.from_env()
        settings.home.mkdir()
        found = find_warehouse(settings)
        assert found is not None
        asyncio.run(refused_calls(settings, garden))
        (folder / "dagster").mkdir()
        with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
            job = defs().resolve_job_def("load_landing")  # type: ignore[call-arg]
            assert job.execute_in_process(instance=instance, raise_on_error=False)
        pipeline.load(settings, found)  # and by the command line's way, which moves the audit spool
        guard.check(settings, found)
        yield Planted(garden, settings, found, folder / "dagster")


async def refused_calls(settings: Settings, garden: Garden) -> None:
    """Calls that the receiver refused, with values where a caller can put them."""
    for _ in range(2):  # one spool is imported, the other one stays
        audit = AuditLog(settings.home / SPOOL)
        for kind in AS_IDS:
            audit.refused("192.0.2.1", f"/events/{garden.value(kind)}", 401, "bad_key")
        audit.close()


def everything_readable(planted: Planted) -> dict[str, str]:
    """All that rests anywhere, as text, by the place it rests in."""
    found: dict[str, str] = {}
    with planted.warehouse.connect() as conn:
        tables = conn.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            rows = conn.execute(
                f'select cast(t as text) from "{schema}"."{table}" as t'.encode()
            ).fetchall()
            found[f"{schema}.{table}"] = "\n".join(text.replace('""', '"') for (text,) in rows)
    lake = ds.dataset(planted.settings.lake, format="parquet", exclude_invalid_files=True)
    found["lake"] = str(lake.to_table().to_pylist())
    for root in (planted.settings.home, planted.dagster, Path(planted.settings.lake)):
        for path in sorted(filter(Path.is_file, root.rglob("*"))):
            found[str(path)] = path.read_bytes().decode("utf-8", "replace") + str(path)
    return {place: text.lower() for place, text in found.items()}


@pytest.fixture(scope="module")
def resting(planted: Planted) -> dict[str, str]:
    return everything_readable(planted)


def test_two_hundred_values_of_all_kinds_are_readable_nowhere(
    planted: Planted, resting: dict[str, str]
) -> None:
    assert planted.garden.number >= 200
    assert len(set(planted.garden.planted.values())) == 18
    readable = {
        (kind, value, place)
        for value, kind in planted.garden.planted.items()
        for place, text in resting.items()
        if value in text
    }
    assert readable == set(), sorted({(kind, place) for kind, _, place in readable})


def test_a_dictionary_finds_nothing_without_the_key(
    planted: Planted, resting: dict[str, str]
) -> None:
    """Neither an id's UUID nor any hash of it that somebody without the key could compute."""
    whole = "\n".join(resting.values()).replace("-", "")
    for person in planted.garden.people:
        guesses = [hashlib.new(name, text.encode()).hexdigest() for name in ("md5", "sha1", "sha256")
                   for text in (person, person.lower(), "".join(filter(str.isdigit, person)))]  # fmt: skip
        guesses += [uuid_text(product, kind, person).replace("-", "") for product in ("upcoach", "shop")
                    for kind in ("user", "tenant", "customer")]  # fmt: skip
        guesses += [record_key("shop", "cards", json.dumps({"holder": person})), record_key(person)]
        guesses += [record_key("upcoach", tenant, "app", person) for tenant in TENANTS]
        assert not [guess for guess in guesses if guess in whole], person


def test_all_of_it_was_read_and_stored_or_refused_with_a_reason(
    planted: Planted, resting: dict[str, str]
) -> None:
    """What is not readable is there all the same: nothing was lost on the way to being hidden."""
    with planted.warehouse.connect() as conn:
        counts = dict(
            conn.execute(
                "select source_kind, sum(stored_count) from ops.load_manifest group by source_kind"
            ).fetchall()
        )
        refused = conn.execute("select count(*) from ops.rejected_records").fetchone()
        sums = conn.execute("select sum(record_count - stored_count - duplicate_count - rejected_count - ignored_count)"
                            " from ops.load_manifest").fetchone()  # fmt: skip
    assert sums == (0,)
    assert all(int(counts[kind]) >= 30 for kind in ("events", "stripe", "revenuecat", "cdc"))
    assert refused is not None and refused[0] >= 25
    assert resting["raw_cdc.changes"].count("sealed_") >= 40
    assert resting["raw_stripe.events"].count("sealed_") >= 20
    assert "tok_" in resting["lake"] and "goal_viewed" in resting["lake"]
    assert any("data_docs" in place for place in resting) and any(
        "dagster" in place for place in resting
    )
    assert (
        any(SPOOL in place for place in resting)
        or "[removed]" in resting["governance.analytics_audit_log"]
    )
    assert resting["raw_cdc.changes"].count('"home_lat": -33.9,') >= 4
    # whom an event names in a property is whom another names as its user
    assert "+27" not in resting["raw_events.events"]
