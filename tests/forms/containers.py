"""What the records of a file may be packed in.

Belongs here: the same record in every container, and the containers that are not read. Does not belong
here: the record itself (`records`).
"""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pyarrow as pa
from pyarrow import parquet

from tests.forms import Form, Outcome
from tests.forms.records import CONTRACT, record

GROUP = "Containers"
NESTED = "kind: events\nproduct: PRODUCT\nclock: server\nunknown_events: accept\n" \
    "format: {records: data.items}\n"  # fmt: skip
ROW = ({"event_name": "seen", "user_source_id": "u1"},)
BOTH = tuple({"source_event_id": name} for name in ("e1", "e2"))
EVENTS = [json.loads(record()), json.loads(record(event_id="e2"))]


def held(
    name: str, content: bytes, stored: tuple[dict[str, str], ...] = ROW, sentence: str = "",
    said: str = CONTRACT,
) -> Form:  # fmt: skip
    """A file in a container; with a sentence it is refused."""
    outcome = Outcome.REFUSED if sentence else Outcome.READ
    files = {"events/PRODUCT/file": content}
    return Form(name, GROUP, "events", files, said, outcome, sentence, () if sentence else stored)


def zipped(**members: bytes) -> bytes:
    """A zip of some files, `_` in their names for the dot."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name.replace("_", ".")), content)
    return packed.getvalue()


def workbook() -> bytes:
    """The two files by which every Excel workbook is known."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(zipfile.ZipInfo(name), b"<x/>")
    return packed.getvalue()


def tar() -> bytes:
    """A tar archive of one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("a.jsonl")
        entry.size = len(record())
        archive.addfile(entry, io.BytesIO(record()))
    return packed.getvalue()


def by_arrow(codec: str) -> bytes:
    """Compressed by Arrow."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(record())
    return bytes(sink.getvalue())


def table() -> bytes:
    """A Parquet file of one row."""
    packed = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(EVENTS[:1]), packed)
    return packed.getvalue()


def named(name: bytes) -> dict[str, bytes]:
    """A file by the bytes of its name."""
    return {"events/PRODUCT/" + name.decode("utf-8", "surrogateescape"): record()}


FORMS = (
    held("gz", gzip.compress(record(), mtime=0)),
    Form(
        "gz that was cut off: its good records are read",
        GROUP,
        "events",
        {"events/PRODUCT/file": gzip.compress(record(), mtime=0)[:-8]},
        CONTRACT,
        Outcome.REFUSED,
        "Its gzip data ends too early: the file was cut off.",
        ROW,
    ),
    held("bz2", bz2.compress(record())),
    held("xz", lzma.compress(record())),
    held("zstd", by_arrow("zstd")),
    held("lz4", by_arrow("lz4")),
    held("a zip of one file", zipped(a_jsonl=record())),
    held("a gz in a zip", zipped(a_jsonl_gz=gzip.compress(record(), mtime=0))),
    held("a zip of two files", zipped(a_jsonl=record(), b_jsonl=record()),
         sentence="It is a zip of 2 files: deliver each by itself, zipped if you like."),
    held("UTF-16 with a mark", record().decode().encode("utf-16")),
    held("UTF-16 without one", record().decode().encode("utf-16-le")),
    held("a Parquet file", table()),
    held("a JSON array", json.dumps(EVENTS, indent=2).encode(), BOTH),
    held("JSON objects over several lines",
         "\n".join(json.dumps(event, indent=2) for event in EVENTS).encode(), BOTH),
    held("a batch of Segment's or PostHog's (`batch`)",
         json.dumps({"sentAt": "x", "batch": EVENTS}).encode(), BOTH),
    held("a batch of Amplitude's (`events`)", json.dumps({"events": EVENTS}).encode(), BOTH),
    held("a list that the contract names (`format: {records: data.items}`)",
         json.dumps({"data": {"items": EVENTS}}).encode(), BOTH, said=NESTED),
    held("an Excel workbook (xlsx)", workbook(),
         sentence="It is an Excel workbook or another office document: save its sheet as CSV."),
    held("an Excel workbook (xls)", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
         sentence="It is an Excel workbook (xls): save its sheet as CSV."),
    held("a tar archive", tar(),
         sentence="It is a tar archive: deliver its files, each gz if you like."),
    held("an Avro file", b"Obj\x01" + bytes(40),
         sentence="It is an Avro file: deliver Parquet, CSV or JSON lines."),
    held("a zip of no file", b"PK\x05\x06" + bytes(18), sentence="It is a zip of no file."),
    held("packed by compress (`.Z`)", b"\x1f\x9d\x90" + bytes(40),
         sentence="It is packed by compress (.Z): pack it with gz, or not at all."),
    held("packed by Snappy", b"\xff\x06\x00\x00sNaPpY" + bytes(40),
         sentence="It is packed by Snappy: pack it with gz, or not at all."),
    held("a PDF document", b"%PDF-1.7\n%\xe2\xe3\n",
         sentence="It is a PDF document: deliver its tables as CSV."),
    held("a page of HTML, such as an error's", b"<!DOCTYPE html><html><body>503</body></html>\n",
         sentence="It is a page or a document of markup (HTML, XML): deliver CSV or JSON lines."),
    held("lines that end in `\\r` alone", record().replace(b"\n", b"\r")
         + record(event_id="e2").replace(b"\n", b"\r"), BOTH),
    Form("a file name that is not UTF-8", GROUP, "events", named(b"caf\xe9.jsonl"), CONTRACT,
         Outcome.REFUSED, "its name is not UTF-8. Rename it, and load again."),
)  # fmt: skip
