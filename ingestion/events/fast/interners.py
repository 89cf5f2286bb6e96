"""What a contract's events have in common, judged once: people, places, names, properties.

Each is judged by what judges a single event (`context`, `event_types`) and remembered as a
number, under which its columns are found. Belongs here: learning and forgetting. Does not belong
here: reading lines (`reader`).
"""

from collections import Counter
from typing import Any, Protocol

import msgspec
import orjson
import pyarrow as pa

from ingestion.contracts.model import EventContract
from ingestion.events.context import Context
from ingestion.events.errors import InexactParse, Invalid, text_of
from ingestion.events.event_types import CompiledEventType
from ingestion.privacy.scrub import TooDeep
from ingestion.privacy.tokens import Tokeniser, ip_subnet
from ingestion.values.arrow import BYTES_16, unescape
from ingestion.values.identity import identity_prefix
from ingestion.values.interning import REFUSED, Interner
from ingestion.values.json_lines import encode
from ingestion.values.outcomes import NULL

_REMEMBERED = 30_000  # entries of an interner before it starts anew
_LONGEST = 1_000  # bytes of properties that are remembered
_PERSON = {
    "source": pa.string(), "tenant_id": BYTES_16, "tenant_source_id": pa.string(),
    "user_id": BYTES_16, "user_source_id": pa.string(),
    "who": pa.string(),  # COPY text of the last four
    "identity": pa.binary(),  # what precedes the id in the identity that the key stands for
    "keeps_id": pa.bool_(),  # a UUID of this source is the event's id as it is
}  # fmt: skip
_PLACE = dict.fromkeys(("country_code", "device_type", "browser", "place"), pa.string())
_KIND = dict.fromkeys(("event_name", "event_domain", "kind"), pa.string())
_SUBNET = {"ip_subnet": pa.string()}

Drift = dict[Any, int]
Judged = tuple[str | None, Drift | None]  # properties as stored, drift in them
_Learned = tuple[Any, tuple[Any, ...]]


class NotPlain(Exception):
    """The line asks for judgement."""


# Whatever is the matter with a line, the parser says it in its own words.
NOT_PLAIN = (
    NotPlain, Invalid, InexactParse, TooDeep, msgspec.MsgspecError, RecursionError, ValueError, TypeError,
    ArithmeticError, IndexError,
)  # fmt: skip


class Parser(Protocol):
    """Of the parser that decides, what is needed here."""

    @property
    def drift(self) -> Counter[tuple[str, str, str]]: ...

    def plan_of(self, name: Any) -> CompiledEventType: ...


class Interners:
    """What events of one contract share, interned."""

    def __init__(self, contract: EventContract, tokeniser: Tokeniser, parser: Parser) -> None:
        self._contract = contract
        self._context = Context(contract, tokeniser)
        self._parser = parser
        self.kinds = Interner(_KIND, self._judge_kind, NOT_PLAIN)  # by name; entries are plans
        # by tenant, user, source; entries are tenants
        self.people = Interner(_PERSON, self._judge_person, NOT_PLAIN)
        # by user agent, device type, browser, country
        self.places = Interner(_PLACE, self._judge_place, NOT_PLAIN)
        self.subnets = Interner(_SUBNET, self._judge_subnet, NOT_PLAIN)  # by address
        self._bodies: dict[tuple[str, bytes], Judged] = {}  # by event name and properties

    def is_keyed(self, field: str, source_id: str) -> bool:
        """Whether an anonymous id or a session's is not kept as it is."""
        return self._context.is_keyed(field, source_id)

    def forget(self) -> None:
        """Start those anew that have grown large; numbers of before are void."""
        for interner in (self.people, self.places, self.subnets):
            if len(interner) > _REMEMBERED:
                interner.forget()
        if len(self._bodies) > _REMEMBERED:
            self._bodies = {}

    def _judge_kind(self, name: str) -> _Learned:
        plan = self._parser.plan_of(name)
        domain = NULL if plan.domain is None else plan.domain
        return plan, (plan.name, plan.domain, f"{plan.name}\t{domain}")

    def _judge_person(self, tenant: str | None, user: str | None, source: str | None) -> _Learned:
        own = self._contract.default_source
        named = own if source is None else text_of(source, "source")
        who = self._context.identify(tenant, user)
        if who.placeholders:  # each line of theirs is counted
            raise NotPlain
        tenant_id, tenant_source, user_id, user_source = map(unescape, who.copy.split("\t"))
        assert tenant_id is not None
        identity = identity_prefix(self._contract.product, tenant_id, named)
        ids = (named, _bytes(tenant_id), tenant_source, _bytes(user_id), user_source)
        return tenant_id, (*ids, who.copy, identity, named == own)

    def _judge_place(
        self, agent: str | None, device: str | None, browser: str | None, country: str | None
    ) -> _Learned:
        place = self._context.describe(agent, None, device, browser, country)
        if place.unplaced:  # each line of theirs is counted, and its value kept
            raise NotPlain
        return None, (*map(unescape, place.copy.split("\t")), place.copy)

    def _judge_subnet(self, address: str | None) -> _Learned:
        subnet = ip_subnet(address) if address is not None else None
        if subnet is None and address is not None and address.strip():
            raise NotPlain
        return None, (subnet,)

    def judged(self, kind: int, person: int, said: bytes) -> Judged:
        """One line's properties as they are stored; None where they ask for judgement."""
        if REFUSED in (kind, person):
            return None, None
        plan = self.kinds.entries[kind]
        held = self._bodies.get((plan.name, said))
        if held is not None:
            return held
        try:
            return self._judge_body(plan, said, self.people.entries[person])
        except NOT_PLAIN:
            return None, None

    def _judge_body(self, plan: CompiledEventType, said: bytes, tenant_id: str) -> Judged:
        """By the plan; remembered where it is the same for everybody."""
        properties = orjson.loads(said)
        if properties is None:
            properties = {}
        elif type(properties) is not dict:
            raise NotPlain
        drift: Drift = {}
        plan.clean(properties, tenant_id, drift, False)
        text = encode(properties)
        if "tok_" not in text and len(said) <= _LONGEST:
            self._bodies[(plan.name, said)] = text, drift
        return text, drift


def _bytes(uuid: str | None) -> bytes | None:
    return None if uuid is None else bytes.fromhex(uuid.replace("-", ""))
