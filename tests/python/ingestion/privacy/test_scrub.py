"""No secret, no national id and no readable person survives in free fields; the rest does."""

from typing import Any

import pytest

from ingestion.privacy.scrub import REMOVED, Scrubber, name_shown
from ingestion.privacy.tokens import Tokeniser, ip_subnet, looks_personal
from tests.python.ingestion.conftest import KEY, OTHER_TENANT, TENANT

TOKENISER = Tokeniser(KEY)


@pytest.fixture
def scrubber() -> Scrubber:
    return Scrubber(TOKENISER)


@pytest.mark.parametrize(
    "key",
    ["password", "newPassword", "user_passwd", "api_key", "apiKey", "client_secret", "access_token",
     "sessionToken", "Authorization", "id_number", "idNumber", "national_id", "ssn", "bsn",
     "passport_number", "card_number", "cvv", "iban", "date_of_birth", "home_address", "PIN_password"],
)  # fmt: skip
def test_forbidden_keys_lose_their_value(scrubber: Scrubber, key: str) -> None:
    assert scrubber.mapping({key: "x7"}, TENANT) == {key: REMOVED}
    assert scrubber.mapping({"a": [{key: 1234}]}, TENANT) == {"a": [{key: REMOVED}]}


@pytest.mark.parametrize("key", ["email", "userEmail", "phone_number", "firstName", "full_name"])
def test_people_become_tokens(scrubber: Scrubber, key: str) -> None:
    token = scrubber.value(key, "Ann", TENANT)
    assert token == TOKENISER.token(TENANT, "ann")
    assert token != scrubber.value(key, "Ann", OTHER_TENANT)


@pytest.mark.parametrize(
    ("key", "value"),
    [("feature", "shifts"), ("feature_name", "roster"), ("form_name", "signup"), ("token_count", 7),
     ("has_password", True), ("site_id", "123456782"), ("order_number", "4111"), ("amount", 123456782),
     ("sent_at", "2026-10-29T10:00:00.123456Z"), ("ts", 1772359200000), ("version", "10.0.19045.1"),
     ("ratio", "0.12345678901"), ("build", "2026-10-29 10:00"), ("keyboard", "qwerty"),
     ("id", "0f8fad5b-d9cb-469f-a165-70867728950e"), ("author", "x"), ("passed", 3)],
)  # fmt: skip
def test_harmless_fields_stay(scrubber: Scrubber, key: str, value: Any) -> None:
    assert scrubber.mapping({key: value}, TENANT) == {key: value}


@pytest.mark.parametrize(
    "secret",
    ["8001015009087", "800101 5009 087", "4111 1111 1111 1111", "5500-0000-0000-0004",
     "378282246310005", "111222333", "sk_live_51Habcdef", "AKIAIOSFODNN7EXAMPLE", "whsec_abcdef123",
     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "Bearer abcdefghijk"],
)  # fmt: skip
def test_secrets_are_found_inside_texts(scrubber: Scrubber, secret: str) -> None:
    cleaned = scrubber.mapping({"note": f"call: {secret}, please"}, TENANT)["note"]
    assert cleaned == f"call: {REMOVED}, please"


def test_numbers_are_looked_at_too(scrubber: Scrubber) -> None:
    given = {"a": 8001015009087, "b": 4111111111111111, "c": 8001015009088}
    assert scrubber.mapping(given, TENANT) == {"a": REMOVED, "b": REMOVED, "c": 8001015009088}


@pytest.mark.parametrize(
    "person", ["jo.doe+x@mail.example.co.za", "+27 82 123 4567", "082 123 4567"]
)
def test_people_inside_texts_become_tokens(scrubber: Scrubber, person: str) -> None:
    cleaned = scrubber.mapping({"note": f"ask {person} today"}, TENANT)["note"]
    assert cleaned == f"ask {TOKENISER.token(TENANT, person)} today"


def test_a_key_that_is_a_person(scrubber: Scrubber) -> None:
    assert scrubber.mapping({"ann@x.example": 1}, TENANT) == {
        TOKENISER.token(TENANT, "ann@x.example"): 1
    }


def test_one_address_one_token_however_written() -> None:
    assert TOKENISER.token(TENANT, " Ann@X.example ") == TOKENISER.token(TENANT, "ann@x.example")
    assert TOKENISER.token(TENANT, "+27 (82) 123-4567") == TOKENISER.token(TENANT, "+27821234567")


def test_tokens_need_the_key_rule_74() -> None:
    ours, theirs = Tokeniser(b"a" * 32), Tokeniser(b"b" * 32)
    assert ours.token(TENANT, "ann@x.example") != theirs.token(TENANT, "ann@x.example")
    assert ours.token(TENANT, "ann@x.example") != ours.token(OTHER_TENANT, "ann@x.example")


def test_hostile_texts_take_no_time(scrubber: Scrubber) -> None:
    for text in ("a" * 200_000 + "@", "1 " * 100_000, "(" * 100_000, "a@" * 50_000, "1-" * 100_000,
                 "eyJ" * 50_000, "a." * 100_000 + "@x"):  # fmt: skip
        scrubber.text(text, TENANT)
        name_shown(text)
        scrubber.judge(text)


def test_addresses_of_the_network_are_cut() -> None:
    assert ip_subnet("203.0.113.77") == "203.0.113.0/24"
    assert ip_subnet("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert ip_subnet("::ffff:203.0.113.77") == "203.0.113.0/24"
    assert ip_subnet("localhost") is None


def test_ids_that_are_people() -> None:
    assert looks_personal("ann@x.example") and looks_personal("+27821234567")
    assert (
        not looks_personal("0821234567")
        and not looks_personal("user@")
        and not looks_personal("17")
    )
