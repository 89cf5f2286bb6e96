"""Ids in webhooks that are a program's word for nothing identify nobody, and are counted (rule 49)."""

import json

import pytest

from ingestion.parsing.source import LineParser
from ingestion.values.identity import uuid_text
from ingestion.values.outcomes import Row
from ingestion.webhooks.stripe import COLUMNS
from tests.python.ingestion.webhooks.test_revenuecat import stored as stored_revenuecat
from tests.python.ingestion.webhooks.test_stripe import changed, line

WORDS = [
    "undefined",
    "NULL",
    "None",
    "NaN",
    "0",
    0,
    "[object Object]",
    "00000000-0000-0000-0000-000000000000",
]


@pytest.mark.parametrize("word", WORDS)
def test_metadata_that_say_nothing_name_nobody(stripe: LineParser, word: object) -> None:
    event = changed("data/object/metadata", {"tenant_id": word, "user_id": word})
    outcome = stripe.parse(1, line(event))
    assert isinstance(outcome, Row)
    payload = json.loads(dict(zip(COLUMNS, outcome.copy.split("\t"), strict=True))["payload"])
    held = payload["data"]["object"]["metadata"]
    assert held == {"tenant_id": None, "user_id": None}
    assert stripe.drift == {
        ("metadata", "tenant_id", "placeholder_id"): 1,
        ("metadata", "user_id", "placeholder_id"): 1,
    }


def test_ids_that_say_something_stay(stripe: LineParser) -> None:
    outcome = stripe.parse(
        1, line(changed("data/object/metadata", {"tenant_id": "t0", "user_id": 10}))
    )
    assert isinstance(outcome, Row) and not stripe.drift
    payload = json.loads(dict(zip(COLUMNS, outcome.copy.split("\t"), strict=True))["payload"])
    assert payload["data"]["object"]["metadata"] == {"tenant_id": "t0", "user_id": 10}


@pytest.mark.parametrize("word", WORDS)
def test_a_customer_without_an_id_is_known_by_another(revenuecat: LineParser, word: object) -> None:
    row = stored_revenuecat(revenuecat, app_user_id=word, aliases=[word, "u7"])
    assert (row["app_user_id"], row["aliases"]) == ("$RCAnonymousID:87", '["u7"]')
    assert revenuecat.drift["metadata", "app_user_id", "placeholder_id"] == 1
    assert revenuecat.drift["metadata", "aliases", "placeholder_id"] == 1


def test_two_customers_whose_ids_are_words_for_nothing_are_two(revenuecat: LineParser) -> None:
    nobody = {"app_user_id": "null", "original_app_user_id": "null", "aliases": ["null"]}
    first, second = (
        stored_revenuecat(revenuecat, **nobody, original_transaction_id=number)
        for number in ("1", "2")
    )
    assert first["app_user_id"] == "transaction:1" and second["app_user_id"] == "transaction:2"


def test_an_attribute_that_says_nothing_names_no_tenant(revenuecat: LineParser) -> None:
    attributes = {"tenant_id": {"value": "undefined", "updated_at_ms": 1},
                  "$email": {"value": "ann@example.org", "updated_at_ms": 1}}  # fmt: skip
    without = {"$email": attributes["$email"]}
    row = stored_revenuecat(revenuecat, subscriber_attributes=attributes)
    assert row["payload"]["event"]["subscriber_attributes"]["tenant_id"]["value"] is None
    own = stored_revenuecat(revenuecat, subscriber_attributes=without)["payload"]["event"]
    # a token is of its tenant: both are of the project's
    assert row["payload"]["event"]["subscriber_attributes"]["$email"] == \
        own["subscriber_attributes"]["$email"]  # fmt: skip
    assert uuid_text("upcoach", "tenant", "undefined") not in json.dumps(row["payload"])
