"""A file as whole lines, whatever it looks like: compression, line ends, damage, length."""

import gzip
import io
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.landing import blocks as reader
from ingestion.landing import containers
from ingestion.landing.blocks import blocks, records
from ingestion.landing.containers import Unreadable, is_packed
from ingestion.landing.digest import digest
from ingestion.landing.enclosed import are_lines
from ingestion.landing.file_info import Shape
from tallyhouse.storage import open_storage

PLAIN = Shape()
QUOTED = Shape(is_quoted=True)


def read(data: bytes, path: str = "a.jsonl", shape: Shape = PLAIN) -> list[tuple[int, bytes]]:
    return [
        found for block in blocks(io.BytesIO(data), path, shape) for found in records(block, shape)
    ]


def test_lines_end_at_newline_only_rule_47() -> None:
    text = "a\u2028b\x0bc\x0cd\x85e\r\n\n  \nlast".encode()
    assert read(text) == [(1, "a\u2028b\x0bc\x0cd\x85e".encode()), (4, b"last")]


def test_a_byte_order_mark_is_no_content() -> None:
    assert read(b"\xef\xbb\xbfa\nb\n") == [(1, b"a"), (2, b"b")]


def test_gzip_by_content_in_several_members_and_padding() -> None:
    data = gzip.compress(b"a\nb\n") + gzip.compress(b"c\n") + b"\x00" * 600
    assert read(data) == read(data, "a.gz") == [(1, b"a"), (2, b"b"), (3, b"c")]


@pytest.mark.parametrize("cut", [1, 5, 12, 100, 400])
def test_a_truncated_gzip_gives_its_good_lines_and_an_error(cut: int) -> None:
    lines = b"".join(b"%d %d\n" % (i, i * 7919) for i in range(2000))
    got: list[bytes] = []
    with pytest.raises(Unreadable, match=r"cut off|damaged"):
        for block in blocks(io.BytesIO(gzip.compress(lines)[:-cut]), "a.gz", PLAIN):
            got += [line for _, line in records(block, PLAIN)]
    assert got == lines.split(b"\n")[: len(got)]  # whole lines only
    assert len(got) > 1000


def test_junk_behind_and_instead_of_gzip() -> None:
    with pytest.raises(Unreadable, match="Something other"):
        read(gzip.compress(b"a\n") + b"junk")
    with pytest.raises(Unreadable, match="not compressed"):
        read(b"plain\n", "a.jsonl.gz")


def test_a_line_beyond_the_limit_is_reported_and_passed_over() -> None:
    with patch.object(reader, "MAX_LINE", 1000), patch.object(reader, "BLOCK", 100), \
            patch.object(containers, "PIECE", 64):  # fmt: skip
        found = list(blocks(io.BytesIO(b"a\n" + b"x" * 5000 + b"\nb\nc"), "a", PLAIN))
    long = [block for block in found if block.too_long]
    assert [block.first_line for block in long] == [2]
    rest = [line for block in found if not block.too_long for line in records(block, PLAIN)]
    assert rest == [(1, b"a"), (3, b"b"), (4, b"c")]


def test_quoted_fields_span_lines() -> None:
    data = b'h1,h2\n1,"a\nb ""q"" c"\n2,x\n'
    assert read(data, shape=QUOTED) == [(1, b"h1,h2"), (2, b'1,"a\nb ""q"" c"'), (4, b"2,x")]


def test_a_stray_quote_costs_one_line_only() -> None:
    body = b"".join(b"%d,plain text here\n" % i for i in range(60_000))
    found = read(b'1,5" pipe\n' + body, shape=QUOTED)
    assert found[0] == (1, b'1,5" pipe')
    assert len(found) == 60_001


@given(st.lists(st.binary(max_size=30), max_size=30), st.integers(1, 40), st.integers(1, 70))
@settings(max_examples=150, deadline=None)
def test_blocks_lose_and_invent_nothing(lines: list[bytes], piece: int, size: int) -> None:
    data = b"\n".join(lines)
    with patch.object(containers, "PIECE", piece), patch.object(reader, "BLOCK", size):
        if is_packed(data) or not are_lines(data, PLAIN):
            return
        found = list(blocks(io.BytesIO(data), "a", PLAIN))
    assert b"".join(block.data for block in found) == data.removeprefix(b"\xef\xbb\xbf")
    for before, after in pairwise(found):
        assert before.data.endswith(b"\n")
        assert after.first_line == before.first_line + before.data.count(b"\n")


def test_a_block_is_bounded() -> None:
    whole = b"x" * 99 + b"\n"
    sizes = [len(b.data) for b in blocks(io.BytesIO(whole * 300_000), "a", PLAIN)]
    assert max(sizes) <= reader.BLOCK + containers.PIECE and sum(sizes) == 30_000_000


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    folder = open_storage(str(tmp_path))
    (tmp_path / "a").write_bytes(b"a\nb\n")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"a\nb\n"))
    plain, packed = (digest(folder, name) for name in ("a", "b.gz"))
    assert plain.content_hash == packed.content_hash and plain.problem is packed.problem is None
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"a\nb\n")[:-6])
    broken = digest(folder, "c.gz")
    assert broken.problem and broken.content_hash != plain.content_hash
