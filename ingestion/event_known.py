"""What a contract's events have in common, judged once: people, places, names, properties.

Each is judged by what judges a single event (`event_context`, `event_plan`) and remembered as a
number, under which its columns are found. Belongs here: learning and forgetting. Does not belong
here: reading lines (`event_bulk`).
"""

from collections import Counter
from typing import Any, NamedTuple, Protocol

import orjson
import pyarrow as pa

from ingestion.bulk_memory import Memory
from ingestion.columns import unescape
from ingestion.contracts import EventContract
from ingestion.event_columns import BYTES_16
from ingestion.event_context import Context
from ingestion.event_errors import text_of
from ingestion.event_plan import EventPlan
from ingestion.identity import identity_prefix
from ingestion.json_lines import encode
from ingestion.pii import Tokeniser, ip_subnet

NULL = "\\N"
_REMEMBERED = 30_000  # entries of a memory before it starts anew
_PERSON = {
    "source": pa.string(), "tenant_id": BYTES_16, "tenant_source_id": pa.string(),
    "user_id": BYTES_16, "user_source_id": pa.string(),
}  # fmt: skip
_PLACE = dict.fromkeys(("country_code", "device_type", "browser"), pa.string())
_KIND = dict.fromkeys(("event_name", "event_domain"), pa.string())

Judged = tuple[str, dict[Any, int] | None]  # properties as stored, drift in them


class Unusual(Exception):
    """The line asks for judgement."""


class Parser(Protocol):
    """Of the parser that decides, what is needed here."""

    drift: Counter[tuple[str, str, str]]

    def plan_of(self, name: Any) -> EventPlan: ...


class Person(NamedTuple):
    tenant_id: str
    copy: str  # COPY text of tenant_id, tenant_source_id, user_id, user_source_id
    source: str
    keeps_id: bool  # a UUID of this source is the event's id as it is
    identity: bytes  # what precedes the id in the identity that the key stands for


class Known:
    """The memories of one contract. What cannot be learned raises as the parser would."""

    def __init__(self, contract: EventContract, tokeniser: Tokeniser, parser: Parser) -> None:
        self._contract = contract
        self._context = Context(contract, tokeniser)
        self._parser = parser
        self.kinds = Memory(_KIND)  # (plan, COPY text of event_name, event_domain) by name
        self.people = Memory(_PERSON)  # Person by (tenant, user, source)
        self.places = Memory(_PLACE)  # COPY text by (user agent, device type, browser, country)
        self.subnets: dict[str | None, str | None] = {None: None}  # by IP address
        self.bodies: dict[tuple[str, bytes], Judged] = {}  # by event name and properties

    def forget(self) -> None:
        """Start those memories anew that have grown large; numbers of before are void."""
        if len(self.people) > _REMEMBERED:
            self.people = Memory(_PERSON)
        if len(self.places) > _REMEMBERED:
            self.places = Memory(_PLACE)
        if len(self.subnets) > _REMEMBERED:
            self.subnets = {None: None}
        if len(self.bodies) > _REMEMBERED:
            self.bodies = {}

    def learn_kind(self, name: str) -> int:
        plan = self._parser.plan_of(name)
        domain = NULL if plan.domain is None else plan.domain
        entry = (plan, f"{plan.name}\t{domain}")
        return self.kinds.learn(name, entry, (plan.name, plan.domain))

    def learn_person(
        self, tenant: str | int | None, user: str | int | None, source: str | None
    ) -> int:
        own = self._contract.default_source
        named = own if source is None else text_of(source, "source")
        who = self._context.identify(tenant, user)
        tenant_id, tenant_source, user_id, user_source = map(unescape, who.copy.split("\t"))
        assert tenant_id is not None
        identity = identity_prefix(self._contract.product, tenant_id, named)
        entry = Person(tenant_id, who.copy, named, named == own, identity)
        values = (named, _bytes(tenant_id), tenant_source, _bytes(user_id), user_source)
        return self.people.learn((tenant, user, source), entry, values)

    def learn_place(self, where: tuple[str | None, ...]) -> int:
        agent, device, browser, country = where
        text = self._context.describe(agent, None, device, browser, country).split("\v")[0]
        return self.places.learn(where, text, tuple(map(unescape, text.split("\t")[:3])))

    def learn_subnet(self, address: str) -> str | None:
        subnet = self.subnets[address] = ip_subnet(address)
        return subnet

    def judge(self, plan: EventPlan, said: tuple[str, bytes], tenant_id: str) -> Judged:
        """The properties as they are stored; remembered where they are the same for everybody."""
        properties = orjson.loads(said[1])
        if properties is None:
            properties = {}
        elif type(properties) is not dict:
            raise Unusual
        drift: dict[Any, int] = {}
        plan.clean(properties, tenant_id, drift, False)
        judged = (encode(properties), drift or None)
        if "tok_" not in judged[0]:
            self.bodies[said] = judged
        return judged


def _bytes(uuid: str | None) -> bytes | None:
    return None if uuid is None else bytes.fromhex(uuid.replace("-", ""))
