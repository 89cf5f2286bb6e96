"""Many lines of events at once: the plain ones straight to columns, the others left to the parser.

Most lines hold nothing that asks for judgement: declared fields of the usual types, no escapes,
times that are times. A typed decoder made from the contract reads them, and what repeats (people,
places, properties) is judged once. A line that is unusual in any way is not taken: `event_parser`
reads it and decides. Where both read a line they say the same, which a test compares.
Belongs here: speed. Does not belong here: any rule that `event_parser` does not have.
"""

from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import EventContract
from ingestion.event_columns import BYTES_16, INSTANT, SCHEMA, EventRows, accepted
from ingestion.event_errors import Again, Invalid
from ingestion.event_known import NULL, Known, Parser, Unusual
from ingestion.event_plan import EventPlan
from ingestion.event_struct import line_decoder
from ingestion.identity import UUID_TEXT
from ingestion.pii import Tokeniser
from ingestion.rows import Accepted, Line
from ingestion.scrub import TooDeep
from ingestion.times import DAY_US, MARKS, USUAL, parse_instant

_YEAR_2000, _YEAR_2100 = 946_684_800_000_000, 4_102_444_800_000_000
_TIMES = slice(10, 12)  # where a taken row has its times

# Whatever is the matter with a line, the parser says it in its own words.
_LEAVE = (
    Unusual, Invalid, Again, TooDeep, msgspec.MsgspecError, RecursionError, ValueError, TypeError,
    ArithmeticError, IndexError,
)  # fmt: skip


class BulkReader:
    """Reads the plain lines of files of one contract, see `event_struct.is_plain`."""

    def __init__(self, contract: EventContract, tokeniser: Tokeniser,
                 parser: Parser) -> None:  # fmt: skip
        self._parser = parser
        self._contract = contract
        self._zone = ZoneInfo(contract.timezone)
        self._known = Known(contract, tokeniser, parser)
        self._decode, self._unpack = line_decoder(contract)

    def take(self, lines: list[Line]) -> tuple[Accepted | None, list[Line]]:
        """The rows of the plain lines, and the lines that are not plain."""
        self._known.forget()
        taken, left = self._read(lines)
        if not taken:
            return None, left
        try:
            rows = self._rows(taken)
        except pa.ArrowInvalid:  # a 30th of February among them
            left += [row[0] for row in taken if not _has_moments(row)]
            taken = [row for row in taken if _has_moments(row)]
            if not taken:
                return None, left
            rows = self._rows(taken)
        plausible = self._plausible(rows).to_pylist()
        if not all(plausible):
            left += [row[0] for row, is_good in zip(taken, plausible, strict=True) if not is_good]
            rows = rows.only([place for place, is_good in enumerate(plausible) if is_good])
            taken = [row for row, is_good in zip(taken, plausible, strict=True) if is_good]
        for row in taken:
            if row[-1]:
                self._parser.drift.update(row[-1])
        return rows, left

    def _read(  # noqa: PLR0915
        self, lines: list[Line]
    ) -> tuple[list[tuple[Any, ...]], list[Line]]:
        """Unpack, judge, identify and hash: the rows that are taken, the lines that are left.

        One loop over local names: this is what a load's time is made of.
        """
        decode, unpack, own_version = self._decode, self._unpack, self._contract.version
        known = self._known
        people, places, kinds, bodies = known.people, known.places, known.kinds, known.bodies
        subnets, product = known.subnets, self._contract.product
        taken: list[tuple[Any, ...]] = []
        left: list[Line] = []
        for line in lines:
            text = line[1]
            try:
                if b"\\" in text:
                    raise Unusual
                (event_id, name, domain, occurred, received, tenant, user, anonymous, session,
                 source, version, agent, ip, device, browser, country, load_time,
                 properties) = unpack(decode(text))  # fmt: skip
                if (kind := kinds.numbers.get(name)) is None:
                    kind = known.learn_kind(name)
                if (person := people.numbers.get((tenant, user, source))) is None:
                    person = known.learn_person(tenant, user, source)
                where = (agent, device, browser, country)
                if (place := places.numbers.get(where)) is None:
                    place = known.learn_place(where)
                if (subnet := subnets.get(ip, "")) == "":
                    subnet = known.learn_subnet(ip)
                who, (plan, plan_copy) = people.entries[person], kinds.entries[kind]
                if (
                    occurred[-1] != "Z"
                    or occurred[4:20:3] not in MARKS
                    or len(occurred) not in USUAL
                ):
                    occurred = parse_instant(occurred, self._zone).text
                if not received:
                    received = occurred
                elif (
                    received[-1] != "Z"
                    or received[4:20:3] not in MARKS
                    or len(received) not in USUAL
                ):
                    received = parse_instant(received, self._zone).text
                if domain is not None and not self._is_own(domain, plan):
                    raise Unusual
                if anonymous is not None:
                    anonymous = _short(anonymous)
                if session is not None:
                    session = _short(session)
                if load_time is not None and not 0 <= load_time < 2**31 - 1:
                    load_time = None
                if version is None:
                    version = own_version
                elif not 0 <= version < 2**31:
                    raise Unusual
                if type(event_id) is int:
                    event_id = str(event_id)
                elif not 0 < len(event_id) <= 500:
                    raise Unusual
                said = (name, bytes(properties))
                if (judged := bodies.get(said)) is None:
                    judged = known.judge(plan, said, who.tenant_id)
                body, drift = judged
                if who.keeps_id and UUID_TEXT.match(event_id):
                    identified = event_id.lower()
                    key = blake2b(who.identity + identified.encode(), digest_size=16).digest()
                    event_uuid = bytes.fromhex(identified.replace("-", ""))
                else:
                    key = blake2b(who.identity + event_id.encode(), digest_size=16).digest()
                    identified, event_uuid = key.hex(), key
                content = (
                    f"{occurred[:10]}\t{product}\t{who.source}\t{event_id}"
                    f"\t{identified}\t{who.copy}\t{anonymous or NULL}\t{session or NULL}"
                    f"\t{plan_copy}\t{occurred}\tf\t"
                    f"\t{places.entries[place]}{NULL if load_time is None else load_time}"
                    f"\t{subnet or NULL}\t{version}\t{body}\t"
                )
                digest = blake2b(content.encode(), digest_size=16).digest()
            except _LEAVE:
                left.append(line)
            else:
                taken.append((
                    line, key, digest, person, place, kind, event_id, event_uuid, anonymous,
                    session, occurred, received, load_time, subnet, version, body, drift,
                ))  # fmt: skip
        return taken, left

    def _is_own(self, domain: str, plan: EventPlan) -> bool:
        declared = self._contract.domains
        return domain == plan.domain and (not declared or domain in declared)

    def _rows(self, taken: list[tuple[Any, ...]]) -> Accepted:
        (lines, keys, hashes, people, places, kinds, ids, uuids, anonymous, sessions, occurred,
         received, load_times, subnets, versions, bodies, _) = zip(*taken, strict=True)  # fmt: skip
        occurred_at = pa.array(occurred, pa.string()).cast(INSTANT)
        columns = {
            "event_date": occurred_at.cast(pa.date32()),
            "product": pa.repeat(pa.scalar(self._contract.product), len(taken)),
            "source_event_id": pa.array(ids, pa.string()),
            "event_id": pa.array(uuids, BYTES_16),
            "anonymous_id": pa.array(anonymous, pa.string()),
            "session_id": pa.array(sessions, pa.string()),
            "occurred_at": occurred_at,
            "is_time_corrected": pa.repeat(pa.scalar(False), len(taken)),
            "received_at": pa.array(received, pa.string()).cast(INSTANT),
            "page_load_time_ms": pa.array(load_times, pa.int32()),
            "ip_subnet": pa.array(subnets, pa.string()),
            "schema_version": pa.array(versions, pa.int32()),
            "properties": pa.array(bodies, pa.string()),
            "content_hash": pa.array(hashes, BYTES_16),
            **self._known.people.columns(people),
            **self._known.places.columns(places),
            **self._known.kinds.columns(kinds),
        }
        table = pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        return accepted([number for number, _ in lines], list(keys), table)

    def _plausible(self, rows: Accepted) -> pa.ChunkedArray:
        """Which rows' times need neither correction nor refusal (rule 44)."""
        assert isinstance(rows.rows, EventRows)
        occurred, received = rows.rows.table["occurred_at"].cast(pa.int64()), rows.received_us
        latest = pc.add(received, DAY_US) if self._contract.clock == "device" else _YEAR_2100
        return pc.and_(
            pc.and_(pc.greater_equal(occurred, _YEAR_2000), pc.less_equal(occurred, latest)),
            pc.and_(pc.greater_equal(received, 0), pc.less(received, _YEAR_2100)),
        )


def _short(text: str | int) -> str | None:
    """An id that is kept as it is."""
    if type(text) is int:
        return str(text)
    assert isinstance(text, str)
    if "@" in text or len(text) > 500:
        raise Unusual
    return text or None


def _has_moments(row: tuple[Any, ...]) -> bool:
    try:
        pa.array(row[_TIMES], pa.string()).cast(INSTANT)
    except pa.ArrowInvalid:
        return False
    return True
