"""Who did it and from where: tenant, user, session, device, place of an event.

Belongs here: ids to UUIDs (ids that are personal data become tokens first, a program's word for
nothing is no id: rule 49), the user agent and the IP address reduced to what may be kept, all as
ready COPY text and remembered between lines. Does not belong here: times, names, properties.
"""

import re
from collections import Counter
from typing import Any, NamedTuple

from ingestion.contracts.model import IDS, EventContract
from ingestion.events.errors import Invalid, text_of
from ingestion.events.limits import MAX_LOAD_TIME_MS
from ingestion.events.mapped_fields import envelope_getters
from ingestion.privacy.tokens import EMAIL, Tokeniser, ip_subnet
from ingestion.privacy.user_agents import describe
from ingestion.values.identity import is_placeholder, uuid_text
from ingestion.values.outcomes import NULL, Rejected, copy_field

_COUNTRY = re.compile(r"[A-Za-z]{2}\Z")
_REMEMBERED = 200_000  # entries of a memory before it starts anew


class Who(NamedTuple):
    tenant_id: str
    copy: str  # tenant_id, tenant_source_id, user_id, user_source_id
    placeholders: tuple[str, ...]  # the fields whose id identifies nobody


class Place(NamedTuple):
    """From where and on what an event came, as far as it could be told."""

    copy: str  # country_code, device_type, browser
    ip_subnet: str
    unplaced: tuple[str, ...]  # the fields whose value says nothing that can be stored there


class Context:
    """Reads the circumstances of events of one contract."""

    def __init__(
        self,
        contract: EventContract,
        tokeniser: Tokeniser,
        drift: Counter[tuple[str, str, str]] | None = None,
    ) -> None:
        self._drift = drift if drift is not None else Counter()
        self._product = contract.product
        self._home = uuid_text(
            contract.product, "tenant", contract.product
        )  # whose tenants' ids are
        self._default_tenant = contract.default_tenant or contract.product
        self._tokeniser = tokeniser
        get = envelope_getters(contract)
        self._is_marked = {
            name: name in contract.envelope and contract.envelope[name].personal is not None
            for name in IDS
        }

        def nothing(record: Any) -> None:
            return None

        self._tenant, self._user, self._anonymous, self._session = (
            get.get(name, nothing) for name in IDS
        )
        self._agent, self._ip, self._device, self._browser, self._country = (
            get.get(name, nothing)
            for name in ("user_agent", "ip", "device_type", "browser", "country_code")
        )
        self._load_time = get.get("page_load_time_ms", nothing)
        self._who: dict[tuple[Any, Any], Who] = {}
        self._places: dict[tuple[Any, Any, Any, Any, Any], Place] = {}

    def who(self, record: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """(tenant UUID, the parts of the row's COPY text that say who)."""
        tenant, user = self._tenant(record), self._user(record)
        try:
            who = self._who.get((tenant, user))
        except TypeError as error:  # a list or an object where an id is due
            raise Invalid(Rejected("wrong_type", "tenant_id or user_id is no plain id.")) from error
        if who is None:
            who = self.identify(tenant, user)
            if len(self._who) > _REMEMBERED:
                self._who.clear()
            self._who[(tenant, user)] = who
        for field in who.placeholders:
            self._count_placeholder(field)
        anonymous, session = self._anonymous(record), self._session(record)
        return who.tenant_id, {
            "who": who.copy,
            "anonymous_id": self._plain(anonymous, "anonymous_id", who.tenant_id),
            "session_id": self._plain(session, "session_id", who.tenant_id),
        }

    def identify(self, tenant: Any, user: Any) -> Who:
        """Whose an event is, not remembered."""
        placeholders = []
        tenant_source = self._default_tenant
        if tenant is not None and tenant != "":
            named = text_of(tenant, "tenant_id")
            if is_placeholder(named):
                placeholders.append("tenant_id")
            else:
                tenant_source = named
        tenant_source = self._tokeniser.keyed_id(
            self._product, self._home, tenant_source, is_marked=self._is_marked["tenant_id"]
        )
        tenant_id = uuid_text(self._product, "tenant", tenant_source)
        user_id, user_source = NULL, NULL
        if user is not None and user != "":
            user_source = text_of(user, "user_id")
            if is_placeholder(user_source):
                placeholders.append("user_id")
                user_source = NULL
            else:
                user_source = self._tokeniser.keyed_id(
                    self._product, tenant_id, user_source, is_marked=self._is_marked["user_id"]
                )
                user_id = uuid_text(self._product, "user", user_source)
                user_source = copy_field(user_source)
        copy = f"{tenant_id}\t{copy_field(tenant_source)}\t{user_id}\t{user_source}"
        return Who(tenant_id, copy, tuple(placeholders))

    def _plain(self, value: Any, field: str, tenant_id: str) -> str:
        """An id that is kept as it is; one that names a person becomes a token."""
        if value is None or value == "":
            return NULL
        text = text_of(value, field)
        if is_placeholder(text):
            self._count_placeholder(field)
            return NULL
        if "@" in text and EMAIL.search(text):
            return self._tokeniser.token(tenant_id, text)
        return copy_field(
            self._tokeniser.keyed_id(
                self._product, tenant_id, text, is_marked=self._is_marked[field]
            )
        )

    def is_keyed(self, field: str, source_id: str) -> bool:
        """Whether an id in a field of the envelope becomes a token, whoever's it is."""
        return self._is_marked[field] or self._plain(source_id, field, self._product) != copy_field(
            source_id
        )

    def _count_placeholder(self, field: str) -> None:
        self._drift["envelope", field, "placeholder_id"] += 1

    def surroundings(self, record: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        """(the parts of the row's COPY text that say from where and on what, the values that could
        not be placed there by their field's name)."""
        said = {
            "user_agent": self._agent(record), "ip": self._ip(record),
            "device_type": self._device(record), "browser": self._browser(record),
            "country_code": self._country(record),
        }  # fmt: skip
        key = tuple(said.values())
        try:
            place = self._places.get(key)
        except TypeError as error:
            raise Invalid(
                Rejected("wrong_type", "The event's context is no plain text.")
            ) from error
        if place is None:
            place = self.describe(*key)
            if len(self._places) > _REMEMBERED:
                self._places.clear()
            self._places[key] = place
        unplaced = {name: said[name] for name in place.unplaced}
        load_time = self._load_time(record)
        load_time_ms = NULL if load_time is None else _milliseconds(load_time)
        if load_time is not None and load_time_ms == NULL:
            unplaced["page_load_time_ms"] = load_time
        for name in unplaced:
            self._drift["envelope", name, "unplaced_value"] += 1
        parts = {
            "place": place.copy, "page_load_time_ms": load_time_ms, "ip_subnet": place.ip_subnet,
        }  # fmt: skip
        return parts, unplaced

    def describe(self, agent: Any, ip: Any, device: Any, browser: Any, country: Any) -> Place:
        """Where an event came from; not remembered."""
        device_seen, browser_seen = describe(agent) if type(agent) is str else (None, None)
        code = country.upper() if type(country) is str and _COUNTRY.match(country) else NULL
        subnet = (ip_subnet(ip) if type(ip) is str else None) or NULL
        stated = {"device_type": _word(device), "browser": _word(browser)}
        found = {**stated, "country_code": None if code == NULL else code,
                 "ip": None if subnet == NULL else subnet}  # fmt: skip
        said = {"device_type": device, "browser": browser, "country_code": country, "ip": ip}
        unplaced = tuple(name for name, word in found.items() if word is None and _says(said[name]))
        device_type = stated["device_type"] or device_seen or NULL
        copy = f"{code}\t{device_type}\t{stated['browser'] or browser_seen or NULL}"
        return Place(copy, subnet, unplaced)


def _says(value: Any) -> bool:
    """Whether a value says anything at all."""
    return value is not None and not (type(value) is str and not value.strip())


def _word(value: Any) -> str | None:
    """A short lower-case word such as mobile or chrome; anything else says nothing."""
    if type(value) is not str or not value.strip():
        return None
    text = value.strip().lower()[:50]
    return text if text.replace(" ", "").replace("_", "").replace("-", "").isalnum() else None


def _milliseconds(value: Any) -> str:
    """Whole milliseconds as COPY text; what cannot be a duration is null."""
    if type(value) not in (int, float):
        raise Invalid(Rejected("wrong_type", "page_load_time_ms is not a number."))
    return str(round(value)) if 0 <= value <= MAX_LOAD_TIME_MS else NULL
