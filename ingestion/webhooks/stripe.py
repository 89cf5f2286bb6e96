"""Stripe: events, objects as the API lists them, exports of its Dashboard, into raw_stripe.events.

Belongs here: whose an event is, its identity, the columns taken out of it. Does not belong here:
the meaning of subscriptions and invoices (the staging models read the payload).
"""

from typing import Any

from ingestion.landing.file_info import FileInfo, RecordList, Shape
from ingestion.parsing.source import LineParser, Target, WithoutFastPath
from ingestion.privacy.scrub import TooDeep, name_shown
from ingestion.values.drift import Drift
from ingestion.values.identity import is_placeholder, record_key
from ingestion.values.json_lines import encode
from ingestion.values.outcomes import Outcome, Rejected, Row, Touch
from ingestion.webhooks.common import (
    NotAnEvent,
    arrival,
    event_row,
    instant,
    known_from,
    note_drift,
    read_object,
    shown,
    text_or_none,
)
from ingestion.webhooks.contract import WebhookContract
from ingestion.webhooks.privacy import PayloadFilter
from ingestion.webhooks.source import WebhookSource
from ingestion.webhooks.stripe_exports import Reader, is_export, reader
from ingestion.webhooks.stripe_objects import event_of

WHERE = "Declare it under `accounts` in contracts/webhooks/stripe.yml, or in a contract of a folder"
WHERE += " that TALLYHOUSE_CONTRACTS names, and run `tallyhouse replay`."
COLUMNS = (
    "event_date", "account", "product", "event_id", "event_type", "api_version", "livemode",
    "created_at", "received_at", "object_id", "object_type", "customer_id", "payload",
    "content_hash",
)  # fmt: skip
_TENANT_PATHS = (
    ("metadata",), ("subscription_details", "metadata"),
    ("parent", "subscription_details", "metadata"), ("customer", "metadata"),
)  # fmt: skip


class StripeSource(WebhookSource):
    """Events of all declared accounts."""

    kind = "stripe"
    records = RecordList(  # a page of a list
        ("data",), unless=frozenset({"type", "id"}), keeps_beside=False, is_on_any_line=True
    )
    target = Target(
        table="raw_stripe.events",
        key_table="raw_stripe.event_keys",
        columns=COLUMNS,
        part="account",
        touch_sql=(
            "'customer'", "product", "null", "'stripe:' || account || ':' || coalesce(customer_id, '')", "null",
        ),
    )  # fmt: skip

    def shape(self, file: FileInfo) -> Shape:
        if not is_export(file.path):
            return super().shape(file)
        self._must_be_readable(file)
        return Shape(is_json=False, has_header=True, is_quoted=True)

    def open(self, file: FileInfo) -> LineParser:
        """Also of an undeclared folder: a Connect event in it may name a declared account."""
        read = reader(file.header) if is_export(file.path) else read_object
        return StripeParser(self._contract, self._filter, file.name, read, arrival(file.path))


class StripeParser(WithoutFastPath):
    """Parses the lines of one file."""

    def __init__(
        self,
        contract: WebhookContract,
        payloads: PayloadFilter,
        folder: str,
        read: Reader = read_object,
        arrived_us: int | None = None,
    ) -> None:
        self.drift = Drift()
        self._read, self._arrived_us = read, arrived_us
        self._contract, self._filter, self._folder = contract, payloads, folder

    def shown(self, line: bytes) -> str:
        """What of a refused line may be shown."""
        return shown(line, None, ("object", "id", "type", "account"), ("created", "livemode"))

    def parse(self, number: int, line: bytes) -> Outcome:
        """The outcome of one line. Never raises."""
        event = self._read(line)
        if isinstance(event, Rejected):
            return event
        try:
            return self._event(event)
        except NotAnEvent as other:
            return other.outcome
        except (TooDeep, RecursionError):
            return Rejected("too_deep", "The event is nested too deeply to be read.")
        except UnicodeEncodeError:
            return Rejected("invalid_utf8", "The event holds text that is not UTF-8.")

    def _event(self, event: dict[str, Any]) -> Row:
        is_snapshot = event.get("object") != "event"
        if is_snapshot:
            event = event_of(event)
        elif not isinstance(event.get("id"), str) or not event["id"]:
            raise NotAnEvent("no_id", "The event has no `id`, so it cannot be told from others.")
        if not isinstance(event.get("livemode"), bool):
            raise NotAnEvent(
                "no_mode",
                "`livemode` is neither true nor false, so nobody knows whether it counts.",
            )
        event_type = event.get("type")
        if not isinstance(event_type, str) or not event_type:
            raise NotAnEvent("no_type", "The event has no `type`.")
        created = instant(event.get("created"), 1_000_000, "created")
        received = known_from(created, self._arrived_us)
        data = event.get("data")
        held = data.get("object") if isinstance(data, dict) else None
        if not isinstance(held, dict):
            raise NotAnEvent("no_object", "The event has no `data.object`.")
        account = event.get("account")
        if not isinstance(account, str) or not account:
            account = self._folder
        owner = self._contract.accounts.get(account)
        if owner is None:
            reason = f"Nobody declared the Stripe account {name_shown(account) or ''!r}. {WHERE}"
            raise NotAnEvent("undeclared_account", reason)
        tenant = tenant_of(held) or account
        payloads = self._filter.of_product(owner.product)
        payload = payloads.hide(event, payloads.tenant_uuid(tenant))
        note_drift(payloads, self.drift)
        held = payload["data"]["object"]
        object_type = text_or_none(held.get("object"))
        customer = text_or_none(held.get("id" if object_type == "customer" else "customer"))
        touch = Touch("customer", owner.product, None, f"stripe:{account}:{customer or ''}", None)
        # How many endpoints still wait for the event differs from delivery to delivery.
        hashed = {name: value for name, value in payload.items() if name != "pending_webhooks"}
        if is_snapshot:
            payload["id"] = f"{held['id']}@{record_key(encode(hashed))}"
        event_id = payload["id"]
        columns = (
            created.text[:10], account, owner.product, event_id, payload["type"],
            text_or_none(payload.get("api_version")), "t" if event.get("livemode") is True else "f",
            created.text, received.text, text_or_none(held.get("id")), object_type, customer,
            encode(payload),
        )  # fmt: skip
        is_live = event.get("livemode") is True
        return event_row(
            "stripe",
            account,
            event_id,
            created,
            received,
            columns,
            hashed,
            touch,
            is_live=is_live,
        )


def tenant_of(held: dict[str, Any]) -> str | None:
    """The tenant the product wrote into the metadata, wherever the object carries them."""
    for path in _TENANT_PATHS:
        found: Any = held
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        tenant = found.get("tenant_id") if isinstance(found, dict) else None
        is_id = isinstance(tenant, str | int) and not isinstance(tenant, bool) and tenant != ""
        if is_id and not is_placeholder(str(tenant)):
            return str(tenant)
    return None
