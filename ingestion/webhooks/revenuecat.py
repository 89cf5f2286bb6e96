"""RevenueCat: one webhook body a line, into raw_revenuecat.events.

Belongs here: whose an event is, its identity, the columns taken out of it. Does not belong here:
the meaning of renewals and expirations (the staging models read the payload).
"""

from typing import Any

from ingestion.landing.file_info import FileInfo
from ingestion.parsing.source import LineParser, Target, Undeclared, WithoutFastPath
from ingestion.privacy.scrub import TooDeep
from ingestion.values.drift import Drift
from ingestion.values.identity import is_placeholder
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
from ingestion.webhooks.privacy import PayloadFilter
from ingestion.webhooks.source import WebhookSource

WHERE = "Declare it under `projects` in contracts/webhooks/revenuecat.yml, or in a contract of a"
WHERE += " folder that TALLYHOUSE_CONTRACTS names, and load again."
COLUMNS = (
    "event_date", "project", "product", "event_id", "event_type", "environment", "store",
    "app_user_id", "original_app_user_id", "aliases", "occurred_at", "received_at", "payload",
    "content_hash",
)  # fmt: skip
_USER_LISTS = ("aliases", "transferred_from", "transferred_to")
_USER_IDS = ("app_user_id", "original_app_user_id")


class RevenueCatSource(WebhookSource):
    """Events of all declared projects."""

    kind = "revenuecat"
    target = Target(
        table="raw_revenuecat.events",
        key_table="raw_revenuecat.event_keys",
        columns=COLUMNS,
        part="project",
        touch_sql=(
            "'customer'", "product", "null",
            "'revenuecat:' || project || ':' || coalesce(app_user_id, payload ->"
            " 'event' -> 'transferred_to' ->> 0)",
            "null",
        ),
    )  # fmt: skip

    def open(self, file: FileInfo) -> LineParser:
        return RevenueCatParser(file.name, self._product(file), self._filter, arrival(file.path))

    def _must_be_readable(self, file: FileInfo) -> None:
        super()._must_be_readable(file)
        self._product(file)

    def _product(self, file: FileInfo) -> str:
        product = self.product(file.name)
        if product is None:
            raise Undeclared(f"Nobody declared the RevenueCat project {file.name!r}. {WHERE}")
        return product


class RevenueCatParser(WithoutFastPath):
    """Parses the lines of one file."""

    def __init__(
        self,
        project: str,
        product: str,
        payloads: PayloadFilter,
        arrived_us: int | None = None,
    ) -> None:
        self.drift = Drift()
        self._arrived_us = arrived_us
        self._project, self._product, self._filter = project, product, payloads

    def shown(self, line: bytes) -> str:
        """What of a refused line may be shown."""
        return shown(line, "event", ("id", "type", "environment", "store"), ("event_timestamp_ms",))

    def parse(self, number: int, line: bytes) -> Outcome:
        """The outcome of one line. Never raises."""
        body = read_object(line)
        if isinstance(body, Rejected):
            return body
        try:
            return self._body(body)
        except NotAnEvent as other:
            return other.outcome
        except (TooDeep, RecursionError):
            return Rejected("too_deep", "The event is nested too deeply to be read.")
        except UnicodeEncodeError:
            return Rejected("invalid_utf8", "The event holds text that is not UTF-8.")

    def _body(self, body: dict[str, Any]) -> Row:
        event = body.get("event")
        if not isinstance(event, dict):
            raise NotAnEvent(
                "not_an_event", "The line has no `event`: it is no RevenueCat webhook."
            )
        event_id, event_type = event.get("id"), event.get("type")
        if not isinstance(event_id, str) or not event_id:
            raise NotAnEvent("no_id", "The event has no `id`, so it cannot be told from others.")
        if not isinstance(event_type, str) or not event_type:
            raise NotAnEvent("no_type", "The event has no `type`.")
        occurred = instant(event.get("event_timestamp_ms"), 1000, "event_timestamp_ms")
        received = known_from(occurred, self._arrived_us)
        tenant_id = self._filter.of_product(self._product).tenant_uuid(self._tenant(event))
        hidden = self._hide(event, tenant_id)
        payload = {**self._filter.hide({k: v for k, v in body.items() if k != "event"}, tenant_id),
                   "event": hidden}  # fmt: skip
        note_drift(self._filter, self.drift)
        event_id, event_type = hidden["id"], hidden["type"]
        user = hidden.get("app_user_id") or next(iter(hidden.get("transferred_to") or ()), None)
        entity = f"revenuecat:{self._project}:{user}"
        touch = Touch("customer", self._product, None, entity, None) if user else None
        aliases = hidden.get("aliases")
        columns = (
            occurred.text[:10], self._project, self._product, event_id, event_type,
            text_or_none(hidden.get("environment")), text_or_none(hidden.get("store")),
            hidden.get("app_user_id"), hidden.get("original_app_user_id"),
            None if aliases is None else encode(aliases), occurred.text, received.text,
            encode(payload),
        )  # fmt: skip
        is_live = event.get("environment") != "SANDBOX"
        return event_row(
            "revenuecat",
            self._project,
            event_id,
            occurred,
            received,
            columns,
            payload,
            touch,
            is_live=is_live,
        )

    def _hide(self, event: dict[str, Any], tenant_id: str) -> dict[str, Any]:
        """The event without personal data: attributes by name, user ids only where they are one."""
        attributes = event.get("subscriber_attributes")
        hidden = self._filter.hide(
            {k: v for k, v in event.items() if k != "subscriber_attributes"}, tenant_id
        )
        if isinstance(attributes, dict):
            hidden["subscriber_attributes"] = self._filter.attributes(attributes, tenant_id)
        for name in _USER_IDS:
            if name in event:
                hidden[name] = self._filter.person(name, event[name], tenant_id)
        for name in _USER_LISTS:
            if isinstance(event.get(name), list):
                ids = [self._filter.person(name, item, tenant_id) for item in event[name]]
                hidden[name] = [found for found in ids if found is not None]
        if event.get("app_user_id") is not None and hidden["app_user_id"] is None:
            hidden["app_user_id"] = _another_id(hidden)
        return hidden

    def _tenant(self, event: dict[str, Any]) -> str:
        attributes = event.get("subscriber_attributes")
        held = attributes.get("tenant_id") if isinstance(attributes, dict) else None
        value = held.get("value") if isinstance(held, dict) else None
        if not isinstance(value, str | int) or value == "" or is_placeholder(str(value)):
            return self._project
        return str(value)


def _another_id(event: dict[str, Any]) -> str | None:
    """Who a customer is whose id identifies nobody: by another of its ids, else by what it bought."""
    known = [event.get("original_app_user_id"), *(event.get("aliases") or ())]
    bought = event.get("original_transaction_id") or event.get("transaction_id")
    known.append(f"transaction:{bought}" if bought else None)
    return next((found for found in known if found), None)
