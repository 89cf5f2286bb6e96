"""Bodies of requests: read within a limit, unpacked, and turned into lines for the landing folder.

Belongs here: sizes, gzip, JSON, and putting tenant and arrival time into product events. Does not
belong here: who sent them, or how long they may take.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from ingestion.contracts.model import EventContract
from ingestion.values.json_lines import finite, no_constant

GZIP = zlib.MAX_WBITS | 16
MOST_EVENTS = 50_000  # in one call
MOST_VALUES = (
    1_000_000  # in one call: a value takes 60 bytes of memory and more, however short it is
)
BLANK = re.compile(r"[ \t\n\r]*")
DECODER = json.JSONDecoder(parse_float=finite, parse_constant=no_constant)


class Refused(Exception):
    """A request that is not accepted: HTTP status, short reason for the audit, sentence."""

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.reason, self.sentence = status, reason, sentence


async def read_limited(
    chunks: AsyncIterator[bytes], declared: str | None, limit: int, hold: Callable[[int], None]
) -> bytes:
    """Read a body of at most `limit` bytes; a longer one is refused without being held.

    `hold` is told of each part's size before it is kept, and may refuse it.
    """
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        hold(len(chunk))
        parts.append(chunk)
    return b"".join(parts)


def too_large(limit: int) -> Refused:
    """The refusal of a body over the limit."""
    return Refused(413, "too_large", f"The body is larger than {limit} bytes; send it in parts.")


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo gzip: all members of the body, to the last byte; never unpacks more than `limit` bytes.

    A member that is cut off and bytes that belong to none are refused, so that whatever is
    acknowledged was read whole (rule 77).
    """
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Refused(415, "encoding", f"Content-Encoding {encoding} is not known; use gzip.")
    parts: list[bytes] = []
    left, packed = limit, body
    while packed or not parts:
        unpacker = zlib.decompressobj(GZIP)
        try:
            part = unpacker.decompress(packed, left + 1)
        except zlib.error as error:
            what = "is not gzip" if not parts else "has bytes after its last gzip member"
            raise Refused(400, "gzip", f"The body {what}.") from error
        left -= len(part)
        if left < 0:
            raise too_large(limit)
        if not unpacker.eof:
            raise Refused(400, "gzip", "The gzip body is cut off.")
        parts.append(part)
        packed = unpacker.unused_data
    return b"".join(parts)


def one_object(body: bytes) -> bytes:
    """The body as one line; only line ends change, which JSON has between tokens alone."""
    try:
        value = json.loads(_text(body), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise not_json() from error
    if not isinstance(value, dict):
        raise Refused(400, "not_an_object", "The body must be one JSON object.")
    return body.replace(b"\r", b" ").replace(b"\n", b" ").strip()


def many_objects(body: bytes) -> list[dict[str, Any]]:
    """A JSON object, a JSON array of objects, or one JSON object a line; at most MOST_EVENTS.

    They are written anew, so a number that no double holds is refused rather than made infinite.
    """
    # every value but the first follows one of these marks: a bound that costs no parsing
    if sum(map(body.count, (b",", b"[", b"{", b"\n"))) > MOST_VALUES:
        raise Refused(
            413, "too_many_values", f"The body holds over {MOST_VALUES} values; send it in parts."
        )
    text = _text(body)
    if text.startswith("[", _after_blank(text, 0)):
        found = _counted(_elements(text))
    else:
        try:
            found = [_decode(text)]
        except Refused:
            found = _counted(_decode(line) for line in text.split("\n") if line.strip())
    if not found or not all(isinstance(value, dict) for value in found):
        raise Refused(400, "not_an_object", "Each event must be a JSON object.")
    return found


def _counted(values: Iterator[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if len(found) == MOST_EVENTS:
            raise Refused(413, "too_many_events", f"Send at most {MOST_EVENTS} events in a call.")
        found.append(value)
    return found


def _elements(text: str) -> Iterator[Any]:
    """The elements of a JSON array one by one: between two of them other calls have their turn."""
    at, mark = _after_blank(text, 0) + 1, ","
    at = _after_blank(text, at)
    if text[at : at + 1] == "]":
        mark, at = "]", at + 1
    while mark == ",":
        try:
            value, at = DECODER.raw_decode(text, _after_blank(text, at))
        except (ValueError, RecursionError) as error:
            raise not_json() from error
        yield value
        at = _after_blank(text, at)
        mark, at = text[at : at + 1], at + 1
    if mark != "]" or _after_blank(text, at) != len(text):
        raise not_json()


def _after_blank(text: str, at: int) -> int:
    return BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_json() from error


def _decode(text: str) -> Any:
    """JSON with integers of any size; refuses what is not JSON."""
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise not_json() from error


def not_json() -> Refused:
    """The refusal of a body that cannot be read."""
    return Refused(400, "not_json", "The body is not JSON in UTF-8.")


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
