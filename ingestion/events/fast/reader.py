"""The fast path: many lines of events at once, the plain ones straight to columns.

Most lines hold nothing that asks for judgement: declared fields of the usual types, no escapes,
times that are times. A typed decoder made from the contract reads them, what repeats (people,
places, properties) is judged once, and everything else happens column by column. A line that is
unusual in any way is not taken: `parser` reads it and decides. Where both read a line they
say the same, which a test compares.
Belongs here: speed. Does not belong here: any rule that `parser` does not have.
"""

from itertools import compress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.model import EventContract
from ingestion.events.columns import SCHEMA, TEXT_PARTS, UNHASHED, accepted
from ingestion.events.fast.decoder import LineColumns, joined, line_decoder
from ingestion.events.fast.envelope import Fields, judged_fields
from ingestion.events.fast.interners import NOT_PLAIN, Interners, Parser
from ingestion.parsing.rows import Accepted, Line
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.arrow import bytes_16, uuid_bytes
from ingestion.values.identity import digests
from ingestion.values.outcomes import NULL

_LINES_AT_ONCE = 1_024  # as Python objects, which so few of them leave in the processor's cache
_LINES_PER_TRY = 64  # decoded together; with an unusual one among them, one by one


class FastReader:
    """Reads the plain lines of files of one contract, see `decoder.is_plain`."""

    def __init__(self, contract: EventContract, tokeniser: Tokeniser,
                 parser: Parser) -> None:  # fmt: skip
        self._parser = parser
        self._contract = contract
        self._interners = Interners(contract, tokeniser, parser)
        self._decode, self._unpack = line_decoder(contract)

    def take(self, lines: list[Line]) -> tuple[Accepted | None, list[Line]]:
        """The rows of the plain lines, and the lines that are not plain."""
        self._interners.forget()
        parts, odd = self._decode_lines([text for _, text in lines])
        left = [lines[place] for place in odd]
        if odd:
            unlike = {*odd}
            lines = [line for place, line in enumerate(lines) if place not in unlike]
        if not lines:
            return None, left
        decoded = joined(parts)
        fields, is_plain, drift = judged_fields(decoded, self._interners, self._contract)
        if not is_plain.all():
            left += compress(lines, ~is_plain)
            lines = list(compress(lines, is_plain))
            fields = fields.only(is_plain)
        if not lines:
            return None, left
        for place, found in drift.items():
            if is_plain[place]:
                self._parser.drift.update(found)
        return self._rows([number for number, _ in lines], fields), left

    def _decode_lines(self, texts: list[bytes]) -> tuple[list[LineColumns], list[int]]:
        """What the lines that have the contract's form say, part by part; the places of the
        others."""
        parts: list[LineColumns] = []
        odd: list[int] = []
        for start in range(0, len(texts), _LINES_AT_ONCE):
            structs, others = self._decoded(texts[start : start + _LINES_AT_ONCE])
            odd += [start + place for place in others]
            if structs:
                parts.append(self._unpack(structs))
        return parts, odd

    def _decoded(self, texts: list[bytes]) -> tuple[list[Any], list[int]]:
        """The lines that have the contract's form, decoded; the places of the others."""
        decode = self._decode
        has_escapes = b"\\" in b"".join(texts)
        decoded: list[Any] = []
        odd: list[int] = []
        for start in range(0, len(texts), _LINES_PER_TRY):
            some = texts[start : start + _LINES_PER_TRY]
            if not has_escapes:
                try:
                    decoded += list(map(decode, some))  # none of them where one fails
                    continue
                except NOT_PLAIN:
                    pass
            for place, text in enumerate(some, start):
                try:
                    struct = None if b"\\" in text else decode(text)
                except NOT_PLAIN:
                    struct = None
                if struct is None:
                    odd.append(place)
                else:
                    decoded.append(struct)
        return decoded, odd

    def _rows(self, lines: list[int], fields: Fields) -> Accepted:
        count, interners = len(lines), self._interners
        product = pa.repeat(pa.scalar(self._contract.product), count)
        columns = {
            **interners.people.columns(fields.people),
            **interners.places.columns(fields.places),
            **interners.kinds.columns(fields.kinds),
            **interners.subnets.columns(fields.subnets),
            "event_date": fields.occurred_at.cast(pa.date32()),
            "product": product,
            "source_event_id": fields.ids,
            "anonymous_id": fields.anonymous,
            "session_id": fields.sessions,
            "occurred_at": fields.occurred_at,
            "is_time_corrected": pa.repeat(pa.scalar(False), count),
            "received_at": fields.received_at,
            "page_load_time_ms": fields.load_times,
            "schema_version": fields.versions,
            "properties": fields.properties,
        }
        keys, event_ids, id_texts = _identify(fields.ids, columns["identity"], columns["keeps_id"])
        columns["event_id"] = event_ids
        texts = columns | {
            "event_date": pc.utf8_slice_codeunits(fields.occurred, 0, 10),
            "event_id": id_texts,
            "occurred_at": fields.occurred,
            "is_time_corrected": "f",
            "page_load_time_ms": fields.load_times.cast(pa.string()),
            "schema_version": fields.versions.cast(pa.string()),
            **dict.fromkeys(UNHASHED, ""),
        }
        contents = pc.binary_join_element_wise(
            *(texts[name] for name in TEXT_PARTS), "\t",
            null_handling="replace", null_replacement=NULL,
        )  # fmt: skip
        columns["content_hash"] = bytes_16(
            b"".join(digests(contents.cast(pa.binary()).to_pylist()))
        )
        table = pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        arrivals = fields.arrivals if fields.arrivals.any() else None
        return accepted(lines, keys, table, arrivals)


def _identify(
    ids: pa.Array, identities: pa.Array, keeps_id: pa.Array
) -> tuple[list[bytes], pa.Array, pa.Array]:
    """The keys of events, and their ids: a UUID where it may be kept, else the key. Both as bytes,
    the ids as text too."""
    uuids, is_uuid = uuid_bytes(ids)
    is_kept = is_uuid & np.asarray(keeps_id)
    texts = pc.if_else(pa.array(is_kept), pc.ascii_lower(ids), ids)
    keys = digests(
        pc.binary_join_element_wise(identities, texts.cast(pa.binary()), b"").to_pylist()
    )
    if not is_kept.all():
        own = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16)
        uuids = np.where(is_kept[:, None], uuids, own)
        texts = pc.if_else(pa.array(is_kept), texts, pa.array([key.hex() for key in keys]))
    return keys, bytes_16(uuids.tobytes()), texts
