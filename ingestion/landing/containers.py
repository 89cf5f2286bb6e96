"""The text of a landing file, whatever it is packed in.

gz, bz2, xz, zstd, lz4 and a zip of one file are unpacked, one within another too; UTF-16 and UTF-32
become UTF-8. All are told by content, never by name. A form that nobody here reads is named in one
sentence. Belongs here: from a file's bytes to its text, in bounded memory. Does not belong here: records
in that text (`enclosed`), blocks of it (`blocks`).
"""

import bz2
import codecs
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

PIECE = 1 << 20
GZ, BZ2, XZ, ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04"
ZSTD, LZ4 = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"
_BZ2_BLOCK = b"1AY&SY"  # after BZh and a digit
PARQUET = b"PAR1\x15"
_TELLING = 512  # bytes by which all forms are told
_DEPTH = 4  # a gz in a zip is two
_MARKS = {  # at the start of UTF-8, which needs no more, and of what is decoded
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook (xls): save its sheet as CSV",
    b"SQLite format 3\x00": "an SQLite database: export its tables as CSV or JSON lines",
    b"Obj\x01": "an Avro file: deliver Parquet, CSV or JSON lines",
    b"ARROW1\x00\x00": "an Arrow file: deliver Parquet, CSV or JSON lines",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: deliver its files, or each in a zip of its own",
    b"Rar!\x1a\x07": "a rar archive: deliver its files, or each in a zip of its own",
    b"PK\x05\x06": "a zip of no file",
    b"%PDF-": "a PDF document: deliver its tables as CSV",
    b"\x1f\x9d": "packed by compress (.Z): pack it with gz, or not at all",
    b"\xff\x06\x00\x00sNaPpY": "packed by Snappy: pack it with gz, or not at all",
}
_MARKUP = (b"<?xml", b"<!doctype html", b"<html")
_TAR = "a tar archive: deliver its files, each gz if you like"


class Unreadable(Exception):
    """The file ends or breaks where it should not; the text is a sentence without the path."""


class Damaged(Unreadable):
    """Its checksum or its form is wrong: what was read of it before may be wrong too."""


class Foreign(Damaged):
    """It is of a form that is not read."""


def pieces(raw: BinaryIO, path: str) -> Iterator[bytes]:
    """The unpacked bytes, as UTF-8 where they are text in Unicode; raises Unreadable after the last
    good piece.

    An OSError is not the file's fault and says nothing about its content: it passes through.
    """
    start = _start_of(raw)
    if path.endswith(".gz") and start[:2] != GZ:
        raise Unreadable("It is named .gz but is not compressed with gzip, or is empty.")
    yield from _unpacked(start, raw, 0)


def is_packed(start: bytes) -> bool:
    """Whether a file with this start has another text than its bytes."""
    return _opener(start) is not None or _encoding(start) is not None or _foreign(start) is not None


def _unpacked(start: bytes, raw: BinaryIO, depth: int) -> Iterator[bytes]:
    foreign = _foreign(start)
    if foreign is not None:
        raise Foreign(f"It is {foreign}.")
    opener = _opener(start)
    if opener is None:
        encoding = _encoding(start)
        stream = _rest(start, raw)
        yield from stream if encoding is None else _recoded(stream, encoding)
        return
    if depth == _DEPTH:
        raise Foreign("It is packed more than four times over: deliver what is in it.")
    inside = cast(BinaryIO, _Stream(opener(start, raw)))
    yield from _unpacked(_start_of(inside), inside, depth + 1)


def _start_of(raw: BinaryIO) -> bytes:
    """Enough of a file to tell what it is."""
    start = b""
    try:
        while len(start) < _TELLING and (piece := raw.read(PIECE)):
            start += piece
    except Unreadable:  # whoever reads on meets it again
        if not start:
            raise
    return start


def _rest(start: bytes, raw: BinaryIO) -> Iterator[bytes]:
    while start:
        yield start
        start = raw.read(PIECE)


def _foreign(start: bytes) -> str | None:
    for mark, what in _FOREIGN.items():
        if start.startswith(mark):
            return what
    if start.startswith(b"ORC") and b"\x00" in start:
        return "an ORC file: deliver Parquet, CSV or JSON lines"
    if start.removeprefix(codecs.BOM_UTF8).lstrip()[:14].lower().startswith(_MARKUP):
        return "a page or a document of markup (HTML, XML): deliver CSV or JSON lines"
    return _TAR if start[257:262] == b"ustar" and b"\x00" in start else None


def _encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32, by their mark or by the zeros that no other text holds."""
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return name
    sample = start[: min(len(start), 256) & ~1]
    if len(sample) < 8 or b"\x00" not in sample:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd >= 0.7 * len(sample):
        return None
    half = len(sample) // 2
    if odd > 0.7 * half and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd == 0 else None


def _recoded(stream: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in stream:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", True).encode()
    except UnicodeError as error:
        raise Damaged(f"Its {encoding.upper()} text is damaged or was cut off.") from error


def _opener(start: bytes) -> Callable[[bytes, BinaryIO], Iterator[bytes]] | None:
    if start.startswith(GZ):
        return _gunzip
    if start.startswith(ZIP):
        return _unzip
    if start.startswith(BZ2) and start[4:10] == _BZ2_BLOCK:
        return _by(bz2.BZ2File, "bz2")
    if start.startswith(XZ):
        return _by(lzma.LZMAFile, "xz")
    for mark, name in ((ZSTD, "zstd"), (LZ4, "lz4")):
        if start.startswith(mark):
            return _by(_arrow_stream(name), name)
    return None


def _arrow_stream(name: str) -> Callable[[Any], Any]:
    def opened(raw: Any) -> Any:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), name)

    return opened


class _SourceFault(Exception):
    """An OSError of the place a file lies at, while a library reads through it."""


class _Stream(io.RawIOBase):
    """Pieces as a file that can be read once."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._kept = source, b""
        self._failure: Unreadable | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Some bytes, none only at the end."""
        while not self._kept:
            if self._failure is not None:
                raise self._failure
            try:
                piece = next(self._source, None)
            except Unreadable as error:
                self._failure = error
                raise
            if piece is None:
                return b""
            self._kept = piece
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        found, self._kept = self._kept[:size], self._kept[size:]
        return found

    def readinto(self, buffer: Any) -> int:
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _guarded(start: bytes, raw: BinaryIO) -> Iterator[bytes]:
    """The rest of a file whose own OSErrors can be told from a library's."""
    try:
        yield from _rest(start, raw)
    except OSError as error:
        raise _SourceFault from error


def _by(opened: Callable[[Any], Any], name: str) -> Callable[[bytes, BinaryIO], Iterator[bytes]]:
    """The unpacked bytes by a library's own stream."""

    def unpack(start: bytes, raw: BinaryIO) -> Iterator[bytes]:
        try:
            stream = opened(_Stream(_guarded(start, raw)))
            while piece := stream.read(PIECE):
                yield piece
        except _SourceFault as fault:
            assert fault.__cause__ is not None
            raise fault.__cause__ from None
        except EOFError as error:
            raise Unreadable(f"Its {name} data ends too early: the file was cut off.") from error
        except (OSError, ValueError, lzma.LZMAError, zlib.error) as error:
            if "runcated" in str(error):
                raise Unreadable(
                    f"Its {name} data ends too early: the file was cut off."
                ) from error
            raise Damaged(f"Its {name} data is damaged.") from error

    return unpack


def _unzip(start: bytes, raw: BinaryIO) -> Iterator[bytes]:
    """The one file of a zip, which must be held on the disk: its list of files stands at its end."""
    with tempfile.TemporaryFile() as held:
        for piece in _rest(start, raw):
            held.write(piece)
        try:
            archive = zipfile.ZipFile(held)
        except zipfile.BadZipFile as error:
            raise Damaged("Its zip data is damaged or was cut off.") from error
        with archive:
            names = [found.filename for found in archive.infolist() if not found.is_dir()]
            if "[Content_Types].xml" in names:
                raise Foreign(
                    "It is an Excel workbook or another office document: save its sheet as CSV."
                )
            names = [name for name in names if not name.startswith("__MACOSX/")]
            if len(names) != 1:
                raise Foreign(
                    f"It is a zip of {len(names)} files: deliver each by itself, zipped if you like."
                )
            try:
                with archive.open(names[0]) as member:
                    while piece := member.read(PIECE):
                        yield piece
            except (RuntimeError, NotImplementedError) as error:
                raise Foreign("It is a zip that is encrypted or packed in a rare way.") from error
            except (zipfile.BadZipFile, EOFError, zlib.error) as error:
                raise Damaged("Its zip data is damaged.") from error


def _gunzip(data: bytes, raw: BinaryIO) -> Iterator[bytes]:
    """Every member of a gzip file; trailing zeros are padding, anything else is damage."""
    while data:
        member = zlib.decompressobj(wbits=31)
        while True:
            try:
                out = member.decompress(data, PIECE)
            except zlib.error as error:
                raise Damaged(f"Its gzip data is damaged ({error}).") from error
            if out:
                yield out
            if member.eof:
                data = member.unused_data.lstrip(b"\x00")
                while not data and (more := raw.read(PIECE)):
                    data = more.lstrip(b"\x00")
                break
            data = member.unconsumed_tail or raw.read(PIECE)
            if not data and not out:
                raise Unreadable("Its gzip data ends too early: the file was cut off.")
        if data and not GZ.startswith(data[:2]):
            raise Unreadable("Something other than gzip data follows its gzip data.")
