"""Blocks that are read where they are parsed: the same lines as blocks that the loader reads."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.landing import blocks as reader
from ingestion.landing import containers
from ingestion.landing import digest as digests
from ingestion.landing.blocks import blocks, records
from ingestion.landing.byte_ranges import ByteRange, byte_ranges
from ingestion.landing.containers import is_packed
from ingestion.landing.enclosed import are_lines
from ingestion.landing.file_info import Shape
from tallyhouse.storage import open_storage

PLAIN = Shape()


@contextmanager
def sizes(piece: int, block: int, line: int) -> Iterator[None]:
    with patch.multiple(reader, BLOCK=block, MAX_LINE=line), \
            patch.multiple(digests, BLOCK=block, MAX_LINE=line), \
            patch.object(containers, "PIECE", piece):  # fmt: skip
        yield


def spans_of(path: Path, shape: Shape = PLAIN) -> list[ByteRange] | None:
    storage = open_storage(str(path.parent))
    found = byte_ranges(storage, path.name, digests.digest(storage, path.name), shape)
    return None if found is None else list(found)


LINES = st.one_of(
    st.binary(max_size=30), st.sampled_from([b"", b"\r", b"\xef\xbb\xbf{}", b"x" * 90, b"x" * 120])
)


@given(st.lists(LINES, max_size=30), st.integers(1, 40), st.integers(1, 70))
@settings(max_examples=200, deadline=None)
def test_spans_hold_the_lines_of_blocks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], piece: int, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "byte_ranges.jsonl"
    data = b"\n".join(lines)
    path.write_bytes(data)
    with sizes(piece, block, line=100):
        found = spans_of(path)
        if found is None:
            is_odd = is_packed(data) or not are_lines(data, PLAIN)
            assert is_odd or max(map(len, data.split(b"\n"))) > 100
            return
        with path.open("rb") as raw:
            wanted = [line for one in blocks(raw, path.name, PLAIN) for line in records(one, PLAIN)]
    assert [line for span in found for line in records(span.read(), PLAIN)] == wanted
    assert [span.start.offset + span.size for span in found[:-1]] == [
        span.start.offset for span in found[1:]
    ]
    assert sum(span.size for span in found) == len(data)
    assert all(span.size >= block for span, _ in pairwise(found))


def test_what_needs_more_than_lines_is_read_by_the_loader(tmp_path: Path) -> None:
    text = b'{"a":1}\n' * 9
    (tmp_path / "a.jsonl").write_bytes(text)
    (tmp_path / "packed").write_bytes(gzip.compress(text))
    (tmp_path / "named.gz").write_bytes(text)
    assert [span.size for span in spans_of(tmp_path / "a.jsonl") or ()] == [len(text)]
    assert spans_of(tmp_path / "a.jsonl", Shape(is_quoted=True)) is None
    assert spans_of(tmp_path / "a.jsonl", Shape(has_header=True)) is None
    assert spans_of(tmp_path / "packed") is None
    assert spans_of(tmp_path / "named.gz") is None


@pytest.mark.parametrize("how", ["longer", "shorter", "another"])
def test_a_file_that_is_not_what_it_was_is_an_error(tmp_path: Path, how: str) -> None:
    path, text = tmp_path / "a.jsonl", b'{"a":1}\n' * 9
    path.write_bytes(text)
    (span,) = spans_of(path) or ()
    other = tmp_path / "b.jsonl"
    other.write_bytes({"longer": text * 2, "shorter": text[:20], "another": text}[how])
    other.replace(path)
    with pytest.raises(OSError, match="another file"):
        span.read()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        span.read()
