"""Whatever a file is packed in, its text is the same; what is not read says so in a sentence."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.landing.containers import Damaged, Foreign, Unreadable, is_packed, pieces

TEXT = "".join(f'{{"id": {number}, "word": "Grüße, {number * 7919}"}}\n' for number in range(3000))
PLAIN = TEXT.encode()


def zipped(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def by_arrow(codec: str) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(data)
        return bytes(sink.getvalue())

    return pack


def tarred(data: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        entry = tarfile.TarInfo("a.jsonl")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return held.getvalue()


def text_of(data: bytes, path: str = "a.jsonl") -> bytes:
    return b"".join(pieces(io.BytesIO(data), path))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": by_arrow("zstd"),
    "lz4": by_arrow("lz4"),
    "zip": lambda data: zipped(("a.jsonl", data)),
    "zip with a Mac's notes": lambda data: zipped(("a.jsonl", data), ("__MACOSX/._a.jsonl", b"x")),
    "gz in a zip": lambda data: zipped(("a.jsonl.gz", gzip.compress(data))),
}
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("packer", PACKERS)
def test_the_text_of_a_packed_file_is_the_same(packer: str) -> None:
    packed = PACKERS[packer](PLAIN)
    assert is_packed(packed[:512]) and not is_packed(PLAIN[:512])
    assert text_of(packed) == PLAIN


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_in_another_form_of_unicode_is_the_same(encoding: str) -> None:
    assert text_of(TEXT.encode(encoding)) == PLAIN
    assert text_of(gzip.compress(TEXT.encode(encoding))) == PLAIN


@pytest.mark.parametrize("packer", ["gz", "bz2", "xz", "zstd", "zip"])
@pytest.mark.parametrize("cut", [3, 60])
def test_what_was_cut_off_or_damaged_is_never_read_as_whole(packer: str, cut: int) -> None:
    packed = PACKERS[packer](PLAIN)
    with pytest.raises(Unreadable, match=r"cut off|damaged"):
        text_of(packed[:-cut])
    if packer == "zstd":  # written without a checksum, so that only its end is known
        return
    place = len(packed) // 2
    broken = (
        packed[:place] + bytes(b ^ 0xFF for b in packed[place : place + 4]) + packed[place + 4 :]
    )
    with pytest.raises(Unreadable, match=r"damaged|cut off|Something other"):
        text_of(broken)


def test_utf_16_that_was_cut_within_a_character_is_damaged() -> None:
    with pytest.raises(Damaged, match="UTF-16"):
        text_of(TEXT.encode("utf-16")[:-1])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")), "Excel"),
        (zipped(("a.csv", b"1"), ("b.csv", b"2")), "zip of 2 files"),
        (zipped(), "zip|PK"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xls"),
        (tarred(PLAIN), "tar archive"),
        (gzip.compress(tarred(PLAIN)), "tar archive"),
        (b"Obj\x01" + bytes(100), "Avro"),
        (b"ORC" + bytes(100), "ORC"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "7z"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, said: str) -> None:
    if data[:4] != b"PK\x05\x06":  # a zip of nothing has no other mark
        with pytest.raises(Foreign, match=said):
            text_of(data)


def test_an_encrypted_zip_is_named() -> None:
    packed = bytearray(zipped(("a.jsonl", PLAIN)))
    packed[6] |= 1  # the flags of the file itself, and of its entry in the list
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Foreign, match="encrypted"):
        text_of(bytes(packed))


class Failing(io.BytesIO):
    """A place that fails in the middle of a file."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 0:
            raise OSError(5, "the line is cut")
        return super().read(200)


@pytest.mark.parametrize("packer", ["gz", "bz2", "xz", "zstd", "zip"])
def test_a_fault_of_the_place_is_not_the_file_s(packer: str) -> None:
    with pytest.raises(OSError, match="the line is cut"):
        list(pieces(Failing(PACKERS[packer](PLAIN)), "a"))


@given(st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_other_bytes_pass_as_they_are(data: bytes) -> None:
    if not is_packed(data):
        assert text_of(data) == data
