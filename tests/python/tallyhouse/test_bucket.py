"""Objects of a bucket: whole or not at all, whatever becomes of the line; failures as sentences."""

import os
from pathlib import Path

import pytest

from tallyhouse.storage import Storage, StorageError, bucket, open_storage
from tallyhouse.storage.bucket import READ_AT_ONCE
from tests.python.object_store import (
    CUT_DOWNLOAD,
    CUT_UPLOAD,
    NO_ANSWER,
    UNAVAILABLE,
    FaultyLine,
    ObjectStore,
)

pytestmark = pytest.mark.slow  # starts a server
NAMES = [f"a/{number}" for number in range(20)]
FROM_THE_THIRD_ON = range(2, 1000)


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes of a body that goes up in three parts."""
    monkeypatch.setattr(bucket, "_PART", 5 << 20)
    return 13 << 20


def place() -> Storage:
    return open_storage("s3://tally/here")


def put(body: bytes, names: list[str] = NAMES) -> None:
    with place().writing() as files:
        for name in names:
            files.put(name, body)


def test_written_listed_read_and_removed(store: ObjectStore) -> None:
    store.put("here/a folder made by hand/", b"")
    store.put("hereafter/x", b"of somebody else")
    put(b"body")
    found = list(place().files())
    assert sorted(file.name for file in found) == sorted(NAMES)
    assert {file.size_bytes for file in found} == {4}
    assert found[0] == place().look(found[0].name)
    with place().open("a/7") as file:
        assert file.read() == b"body"
    with place().writing() as files:
        files.remove("a/7")
        files.remove("a/never")
    assert len(list(place().files())) == len(NAMES) - 1


def test_a_file_made_elsewhere_is_copied(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(b"body")
    assert place().staged_files() is None  # a name costs a copy here
    with place().writing() as files:
        files.move(tmp_path / "made", "a/7")
    with place().open("a/7") as file:
        assert file.read() == b"body"


def test_large_objects_go_up_in_parts_and_come_down_in_pieces(
    store: ObjectStore, line: FaultyLine, in_small_parts: int
) -> None:
    body = os.urandom(in_small_parts)
    put(body, ["large"])
    assert sum("partNumber" in path for _, path in line.seen) == 3
    line.seen.clear()
    with place().open("large") as file:
        pieces = iter(lambda: file.read(1 << 20), b"")
        assert b"".join(pieces) == body
    assert sum(method == "GET" for method, _ in line.seen) <= len(body) // READ_AT_ONCE + 1


def test_an_upload_in_parts_that_fails_leaves_the_old_object(
    store: ObjectStore, line: FaultyLine, in_small_parts: int
) -> None:
    put(b"old", ["large"])
    line.nth("PUT", "partNumber=2", range(1000), CUT_UPLOAD)
    with pytest.raises(StorageError):
        put(bytes(in_small_parts), ["large"])
    assert store.get("here/large") == b"old"
    assert store.unfinished_uploads() == 0


@pytest.mark.parametrize("how", [CUT_UPLOAD, NO_ANSWER, UNAVAILABLE])
def test_an_upload_that_breaks_off_leaves_each_object_old_or_new(
    store: ObjectStore, line: FaultyLine, how: str
) -> None:
    put(b"old body")
    line.nth("PUT", "/here/", FROM_THE_THIRD_ON, how)
    with pytest.raises(StorageError):
        put(b"new body")
    assert {store.get(f"here/{name}") for name in NAMES} <= {b"old body", b"new body"}
    line.heal()
    put(b"new body")
    assert {store.get(f"here/{name}") for name in NAMES} == {b"new body"}


@pytest.mark.parametrize("how", [CUT_DOWNLOAD, NO_ANSWER, UNAVAILABLE])
@pytest.mark.parametrize("piece", [0, 1])
def test_a_download_that_breaks_off_is_an_error_or_is_repeated(
    store: ObjectStore,
    line: FaultyLine,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    piece: int,
) -> None:
    body = os.urandom(READ_AT_ONCE + (3 << 20))
    store.put("here/x", body)
    line.nth("GET", "/here/x", range(piece, 1000), how)
    with pytest.raises(StorageError), place().open("x") as file:
        while file.read(1 << 20):
            pass
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    line.nth("GET", "/here/x", range(piece, piece + 1), how)
    with place().open("x") as file:
        assert b"".join(iter(lambda: file.read(1 << 20), b"")) == body


def test_an_object_that_is_replaced_while_it_is_read_is_never_a_mixture(
    store: ObjectStore,
) -> None:
    size = READ_AT_ONCE + (3 << 20)
    store.put("here/x", b"a" * size)
    before = place().look("x")
    with place().open("x") as file:
        read = file.read(1 << 20)
        store.put("here/x", b"b" * size)
        with pytest.raises(StorageError, match="replaced while it was read"):
            while piece := file.read(1 << 20):
                read += piece
    assert set(read) == {ord("a")}
    assert place().look("x") != before


def test_what_is_wrong_and_the_way_out_are_said(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageError, match=r"bucket nobody does not exist.*Make it"):
        list(open_storage("s3://nobody/x").files())
    with store.only_known_keys():
        with pytest.raises(StorageError, match=r"refused: .*Correct AWS_ACCESS_KEY_ID"):
            list(place().files())
        with pytest.raises(StorageError, match=r"refused: .*Correct AWS_ACCESS_KEY_ID"):
            put(b"x")
    with pytest.raises(StorageError, match="not there any more"):
        place().open("never")
    with pytest.raises(StorageError, match="s3://bucket/prefix"):
        open_storage("gs://bucket/prefix")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StorageError, match=r"no credentials were found. Set AWS_ACCESS_KEY_ID"):
        list(place().files())


def test_a_server_that_is_gone_is_named(store: ObjectStore, line: FaultyLine) -> None:
    line.stop()
    with pytest.raises(StorageError, match=rf"127.0.0.1:{line.port}.*AWS_ENDPOINT_URL"):
        list(place().files())
