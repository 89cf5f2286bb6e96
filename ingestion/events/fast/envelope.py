"""The envelopes of many lines, field by field: judged, and which of the lines are plain.

Belongs here: what a plain id, time, version is. Does not belong here: decoding lines, making rows
(`reader`), what is remembered between blocks (`interners`).
"""

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.model import EventContract
from ingestion.events.fast.decoder import LineColumns
from ingestion.events.fast.interners import NOT_PLAIN, Drift, Interners
from ingestion.events.limits import MAX_ID_LENGTH, MAX_LOAD_TIME_MS, MAX_VERSION
from ingestion.events.times import arrival_by, can_arrive, can_occur
from ingestion.parsing.rows import Mask
from ingestion.privacy.tokens import MAY_BE_PERSONAL, MAY_NAME, names_somebody
from ingestion.values.arrow import INSTANT, alike, joined, only
from ingestion.values.identity import UNSEEN, placeholder_ids
from ingestion.values.instants import USUAL_FORMS, is_small_count, parse_instant
from ingestion.values.interning import REFUSED, Numbers
from ingestion.values.outcomes import Arrival

_USUAL_BY_LENGTH = {len(form): form.encode() for form in USUAL_FORMS}
_USUAL_TIME = f"^({'|'.join(re.escape(form).replace('0', '[0-9]') for form in USUAL_FORMS)})$"
_NO_TIME = "1800-01-01T00:00:00Z"  # stands for what is no time: nothing happens or arrives then


class Fields(NamedTuple):
    """Item i of each part is line i's; numbers are those of `Interners`."""

    kinds: Numbers
    people: Numbers
    places: Numbers
    subnets: Numbers
    ids: pa.Array
    anonymous: pa.Array
    sessions: pa.Array
    versions: pa.Array
    load_times: pa.Array
    properties: pa.Array  # JSON text
    occurred: pa.Array  # ISO text
    occurred_at: pa.Array
    received_at: pa.Array
    arrivals: Mask  # an Arrival each

    def only(self, wanted: Mask) -> "Fields":
        return Fields._make(
            part[wanted] if isinstance(part, np.ndarray) else only(part, wanted) for part in self
        )


def judged_fields(
    decoded: LineColumns, interners: Interners, contract: EventContract
) -> tuple[Fields, Mask, dict[int, Drift]]:
    """The fields as they are stored, which lines are plain, and drift by line; the fields of lines
    that are not plain mean nothing."""
    field = decoded.fields
    zone = ZoneInfo(contract.timezone)
    kinds = interners.kinds.find(field["event_name"])
    people = interners.people.find(field["tenant_id"], field["user_id"], field["source"])
    times, occurred_at = _instants(field["occurred_at"], zone)
    told = _not_empty(field["received_at"])
    _, received_at = _instants(pc.coalesce(told, times), zone)
    arrivals = np.full(len(told), Arrival.TOLD, np.int8)
    arrivals[np.asarray(told.is_null())] = arrival_by(contract.clock)
    properties, drift = _properties(decoded, kinds, people, interners)
    place = [field[name] for name in ("user_agent", "device_type", "browser", "country_code")]
    fields = Fields(
        kinds,
        people,
        interners.places.find(*place),
        interners.subnets.find(field["ip"]),
        _not_empty(field["event_id"]),
        _not_empty(field["anonymous_id"]),
        _not_empty(field["session_id"]),
        _whole(field["schema_version"], MAX_VERSION, contract.version, REFUSED),
        _whole(field["page_load_time_ms"], MAX_LOAD_TIME_MS, None, REFUSED),
        properties,
        times,
        occurred_at,
        received_at,
        arrivals,
    )
    is_plain = decoded.is_whole & _plausible(occurred_at, received_at, contract)
    for numbers in (kinds, people, fields.places, fields.subnets):
        is_plain &= numbers != REFUSED
    for always in (properties, fields.ids):
        is_plain &= np.asarray(always.is_valid())
    for numbers in (fields.versions, fields.load_times):
        is_plain &= numbers.fill_null(0).to_numpy() != REFUSED
    is_plain &= _is_short(fields.ids) & ~_is_placeholder(fields.ids)
    is_plain &= ~_are_so(fields.ids, MAY_NAME, names_somebody)
    for name, texts in (("anonymous_id", fields.anonymous), ("session_id", fields.sessions)):
        is_plain &= _is_short(texts) & ~_is_placeholder(texts)
        is_plain &= ~_are_so(texts, MAY_BE_PERSONAL, partial(interners.is_keyed, name))
    return (
        fields,
        is_plain & _is_of_domain(field["event_domain"], kinds, interners, contract),
        drift,
    )


def _properties(
    decoded: LineColumns, kinds: Numbers, people: Numbers, interners: Interners
) -> tuple[pa.Array, dict[int, Drift]]:
    """All properties that can be judged, as they are stored; and drift by line."""
    texts: list[str | None] = []
    drifts: dict[int, Drift] = {}
    for place, said in enumerate(decoded.properties):
        stored, drift = interners.judged(int(kinds[place]), int(people[place]), said)
        texts.append(stored)
        if drift:
            drifts[place] = drift
    return pa.array(texts, pa.string()), drifts


def _is_of_domain(
    stated: pa.Array, kinds: Numbers, interners: Interners, contract: EventContract
) -> Mask:
    """Which lines state no domain or that of their event name."""
    if stated.null_count == len(stated):
        return np.ones(len(stated), np.bool_)
    is_good = pc.equal(stated, interners.kinds.columns(kinds)["event_domain"]).fill_null(False)
    if contract.domains:
        is_good = pc.and_(is_good, pc.is_in(stated, pa.array(contract.domains, pa.string())))
    return np.asarray(pc.or_(is_good, stated.is_null()))


def _not_empty(texts: pa.Array) -> pa.Array:
    if pc.min(pc.binary_length(texts)).as_py() != 0:
        return texts
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _is_short(texts: pa.Array) -> Mask:
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= MAX_ID_LENGTH:
        return np.ones(len(texts), np.bool_)
    return np.asarray(pc.less_equal(pc.utf8_length(texts), MAX_ID_LENGTH).fill_null(True))


def _are_so(texts: pa.Array, pattern: str, is_so: Callable[[str], bool]) -> Mask:
    """Which texts are what `is_so` says, asked of those alone that match the pattern."""
    matches = pc.match_substring_regex(texts, pattern).fill_null(False)
    found = np.array(matches)
    if not found.any():
        return found
    answers = {text: is_so(text) for text in pc.unique(texts.filter(matches)).to_pylist()}
    found[found] = [answers[text] for text in texts.filter(matches).to_pylist()]
    return found


def _is_placeholder(texts: pa.Array) -> Mask:
    """Which ids identify nobody (rule 49)."""
    words = pc.utf8_lower(pc.utf8_trim(texts, UNSEEN))
    wanted = pa.array([*placeholder_ids(), ""], pa.string())  # an id of none but blanks
    return np.asarray(pc.is_in(words, wanted).fill_null(False))


def _whole(values: pa.Array, largest: int, default: int | None, otherwise: int) -> pa.Array:
    """Whole numbers; those that are negative or too large are replaced by `otherwise`."""
    if values.null_count == len(values):
        return pa.repeat(pa.scalar(default, pa.int32()), len(values))
    is_good = pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, largest)).fill_null(True)
    found = pc.if_else(is_good, values, pa.scalar(otherwise, pa.int64()))
    return pc.if_else(values.is_null(), pa.scalar(default, pa.int64()), found).cast(pa.int32())


def _instants(texts: pa.Array, zone: ZoneInfo) -> tuple[pa.Array, pa.Array]:
    """Times as the database reads them, and as instants."""
    if not _are_usual(texts):
        is_odd = pc.invert(pc.match_substring_regex(texts, _USUAL_TIME).fill_null(False))
        found = [_instant(text, zone) for text in texts.filter(is_odd).to_pylist()]
        texts = pc.replace_with_mask(texts, is_odd, pa.array(found, pa.string()))
    try:
        return texts, texts.cast(INSTANT)
    except pa.ArrowInvalid:  # a 30th of February among them
        texts = pa.array([_instant(text, zone) for text in texts.to_pylist()], pa.string())
        return texts, texts.cast(INSTANT)


def _are_usual(texts: pa.StringArray) -> bool:
    """Whether all times are written in one and the same of the usual forms."""
    lengths = pc.min_max(pc.binary_length(texts)).as_py()
    form = _USUAL_BY_LENGTH.get(lengths["min"])
    if form is None or texts.null_count or lengths["max"] != len(form):
        return False
    return alike(joined(texts)) == form * len(texts)


def _instant(text: str | None, zone: ZoneInfo) -> str:
    if is_small_count(text):
        return _NO_TIME
    try:
        found = parse_instant(text, zone).text
        pa.scalar(found).cast(INSTANT)
    except NOT_PLAIN:  # pa.ArrowInvalid is a ValueError
        return _NO_TIME
    return found


def _plausible(occurred_at: pa.Array, received_at: pa.Array, contract: EventContract) -> Mask:
    """Which times need neither correction nor refusal (rule 44)."""
    occurred = occurred_at.cast(pa.int64()).to_numpy()
    received = received_at.cast(pa.int64()).to_numpy()
    is_plausible: Mask = can_arrive(received) & can_occur(occurred, received, contract.clock)
    return is_plausible
