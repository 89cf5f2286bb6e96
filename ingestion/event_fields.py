"""The envelopes of many lines, field by field: judged, and which of the lines are plain.

Belongs here: what a plain id, time, version is. Does not belong here: decoding lines, making rows
(`event_bulk`), what is remembered between blocks (`event_known`).
"""

from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.bulk_memory import REFUSED, Numbers
from ingestion.contracts import EventContract
from ingestion.event_columns import INSTANT
from ingestion.event_known import LEAVE, Known
from ingestion.event_shapes import Judged
from ingestion.times import DAY_US, parse_instant

_YEAR_2000, _YEAR_2100 = 946_684_800_000_000, 4_102_444_800_000_000
_USUAL_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z$"  # see `times.USUAL`
_NO_TIME = "1900-01-01T00:00:00Z"  # stands for what is no time; implausible, so never stored
_LONGEST_ID = 500

Mask = np.ndarray  # of booleans, one per line


class Fields(NamedTuple):
    """Item i of each part is line i's; numbers are those of the memories of `Known`."""

    kinds: Numbers
    people: Numbers
    places: Numbers
    subnets: Numbers
    ids: pa.Array
    anonymous: pa.Array
    sessions: pa.Array
    versions: pa.Array
    load_times: pa.Array
    bodies: list[Judged]
    occurred: pa.Array  # ISO text
    occurred_at: pa.Array
    received_at: pa.Array

    def only(self, wanted: Mask) -> "Fields":
        return Fields._make(
            part[wanted] if isinstance(part, np.ndarray)
            else part.filter(pa.array(wanted)) if isinstance(part, pa.Array)
            else list(compress(part, wanted))
            for part in self
        )  # fmt: skip


def judged_fields(
    decoded: Sequence[tuple[Any, ...]], known: Known, contract: EventContract
) -> tuple[Fields, Mask]:
    """The fields as they are stored, and which lines are plain; the others' fields mean nothing.

    An item of `decoded` are the fields of ENVELOPE and the properties as JSON, unescaped.
    """
    (ids, names, domains, occurred, received, tenants, users, anonymous, sessions, sources,
     versions, agents, ips, devices, browsers, countries, load_times,
     properties) = zip(*decoded, strict=True)  # fmt: skip
    zone = ZoneInfo(contract.timezone)
    kinds, people = known.kinds.find(names), known.people.find(tenants, users, sources)
    times, occurred_at = _instants(pa.array(occurred, pa.string()), zone)
    arrivals = pc.coalesce(_not_empty(pa.array(received, pa.string())), times)
    _, received_at = _instants(arrivals, zone)
    fields = Fields(
        kinds,
        people,
        known.places.find(agents, devices, browsers, countries),
        known.subnets.find(ips),
        _texts(ids),
        _texts(anonymous),
        _texts(sessions),
        _whole(versions, contract.version, REFUSED),
        _whole(load_times, None, None, below=2**31 - 1),
        known.bodies(kinds, people, list(map(bytes, properties))),  # type: ignore[arg-type]
        times,
        occurred_at,
        received_at,
    )
    is_plain = _plausible(occurred_at, received_at, contract)
    for numbers in fields[:4]:
        is_plain &= numbers != REFUSED
    if None in fields.bodies:
        is_plain &= [body is not None for body in fields.bodies]
    if versions.count(None) < len(versions):
        is_plain &= fields.versions.to_numpy() != REFUSED
    is_plain &= np.asarray(fields.ids.is_valid()) & _is_short(fields.ids)
    for texts in (fields.anonymous, fields.sessions):
        has_address = pc.match_substring(texts, "@").fill_null(False)
        is_plain &= _is_short(texts) & ~np.asarray(has_address)
    if domains.count(None) < len(domains):
        is_plain &= [known.is_domain(*stated) for stated in zip(domains, kinds, strict=True)]
    return fields, is_plain


def _texts(values: Sequence[str | int | None]) -> pa.Array:
    """Ids as texts; an empty one is none."""
    try:
        found = pa.array(values, pa.string())
    except pa.ArrowTypeError:
        texts = (str(value) if type(value) is int else value for value in values)
        found = pa.array(texts, pa.string())
    return _not_empty(found)


def _not_empty(texts: pa.Array) -> pa.Array:
    if pc.min(pc.binary_length(texts)).as_py() != 0:
        return texts
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _is_short(texts: pa.Array) -> Mask:
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= _LONGEST_ID:
        return np.ones(len(texts), np.bool_)
    return np.asarray(pc.less_equal(pc.utf8_length(texts), _LONGEST_ID).fill_null(True))


def _whole(
    values: Sequence[int | None], default: int | None, otherwise: int | None, below: int = 2**31
) -> pa.Array:
    """Whole numbers; those that are negative or too large are replaced by `otherwise`."""
    if values.count(None) == len(values):
        return pa.repeat(pa.scalar(default, pa.int32()), len(values))
    found = (
        default if value is None else value if 0 <= value < below else otherwise
        for value in values
    )  # fmt: skip
    return pa.array(found, pa.int32())


def _instants(texts: pa.Array, zone: ZoneInfo) -> tuple[pa.Array, pa.Array]:
    """Times as the database reads them, and as instants."""
    is_usual = pc.match_substring_regex(texts, _USUAL_TIME).fill_null(False)
    if not pc.all(is_usual).as_py():
        found = texts.to_pylist()
        for place in np.flatnonzero(~np.asarray(is_usual)):
            found[place] = _instant(found[place], zone)
        texts = pa.array(found, pa.string())
    try:
        return texts, texts.cast(INSTANT)
    except pa.ArrowInvalid:  # a 30th of February among them
        texts = pa.array([_instant(text, zone) for text in texts.to_pylist()], pa.string())
        return texts, texts.cast(INSTANT)


def _instant(text: str | None, zone: ZoneInfo) -> str:
    try:
        found = parse_instant(text, zone).text
        pa.scalar(found).cast(INSTANT)
    except LEAVE:  # pa.ArrowInvalid is a ValueError
        return _NO_TIME
    return found


def _plausible(occurred_at: pa.Array, received_at: pa.Array, contract: EventContract) -> Mask:
    """Which times need neither correction nor refusal (rule 44)."""
    occurred = occurred_at.cast(pa.int64()).to_numpy()
    received = received_at.cast(pa.int64()).to_numpy()
    latest = received + DAY_US if contract.clock == "device" else _YEAR_2100
    is_received = (received >= 0) & (received < _YEAR_2100)
    return (occurred >= _YEAR_2000) & (occurred <= latest) & is_received
