"""Bodies of requests: read within a limit, unpacked, and turned into lines for the landing folder.

Belongs here: sizes, gzip, JSON, and putting tenant and arrival time into product events. Does not
belong here: who sent them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from ingestion.contracts.model import EventContract
from ingestion.values.json_lines import finite, no_constant

GZIP = zlib.MAX_WBITS | 16


class Refused(Exception):
    """A request that is not accepted: HTTP status, short reason for the audit, sentence."""

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.reason, self.sentence = status, reason, sentence


async def read_limited(chunks: AsyncIterator[bytes], declared: str | None, limit: int) -> bytes:
    """Read a body of at most `limit` bytes; a longer one is refused without being held."""
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        parts.append(chunk)
    return b"".join(parts)


def too_large(limit: int) -> Refused:
    """The refusal of a body over the limit."""
    return Refused(413, "too_large", f"The body is larger than {limit} bytes; send it in parts.")


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo gzip; never unpacks more than `limit` bytes."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Refused(415, "encoding", f"Content-Encoding {encoding} is not known; use gzip.")
    unpacker = zlib.decompressobj(GZIP)
    try:
        text = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise Refused(400, "gzip", "The body is not gzip.") from error
    if len(text) > limit:
        raise too_large(limit)
    if not unpacker.eof:
        raise Refused(400, "gzip", "The gzip body is cut off.")
    return text


def one_object(body: bytes) -> bytes:
    """The body as one line; only line ends change, which JSON has between tokens alone."""
    if not isinstance(parse(body), dict):
        raise Refused(400, "not_an_object", "The body must be one JSON object.")
    return body.replace(b"\r", b" ").replace(b"\n", b" ").strip()


def many_objects(body: bytes) -> list[dict[str, Any]]:
    """A JSON object, a JSON array of objects, or one JSON object a line.

    They are written anew, so a number that no double holds is refused rather than made infinite.
    """
    try:
        value = parse(body, parse_float=finite)
        values = value if isinstance(value, list) else [value]
    except Refused:
        lines = [line for line in body.split(b"\n") if line.strip()]
        values = [parse(line, parse_float=finite) for line in lines]
    if not values or not all(isinstance(value, dict) for value in values):
        raise Refused(400, "not_an_object", "Each event must be a JSON object.")
    return values


def parse(body: bytes, parse_float: Callable[[str], float] = float) -> Any:
    """JSON with integers of any size; refuses what is not JSON."""
    try:
        return json.loads(body.decode("utf-8"), parse_float=parse_float, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not_json", "The body is not JSON in UTF-8.") from error


def stamp(
    record: dict[str, Any], contract: EventContract | None, tenant: str, received_at: str
) -> bytes:
    """One event as a line, with the key's tenant and the time of arrival where its contract says.

    An event that names another tenant than its key is refused: keys do not speak for others.
    """
    envelope = contract.envelope if contract else {}
    named = exchange(record, paths_of(envelope, "tenant_id"), tenant)
    if named is not None and str(named) != tenant:
        raise Refused(403, "other_tenant", "The event names another tenant than the key's.")
    exchange(record, paths_of(envelope, "received_at"), received_at)
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def paths_of(envelope: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """Where the product's own format keeps an envelope field."""
    mapped = envelope.get(field)
    return (mapped.paths() if mapped else ()) or (field,)


def exchange(record: dict[str, Any], paths: tuple[str, ...], value: str) -> Any:
    """Put `value` at the first path and return what any of the paths held before."""
    before = None
    for path in paths:
        before = _find(record, path) if before is None else before
    *parents, last = paths[0].split(".")
    place = record
    for key in parents:
        inner = place.get(key)
        if not isinstance(inner, dict):
            inner = place[key] = {}
        place = inner
    place[last] = value
    return before


def _find(record: dict[str, Any], path: str) -> Any:
    value: Any = record
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
