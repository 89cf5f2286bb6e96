"""Files of a place: written whole or not at all, and durable when the block ends."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tallyhouse.storage import folder as storage
from tallyhouse.storage import open_storage

FEW, MANY = 3, 200


def content(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def names(count: int) -> list[str]:
    return [f"date=2026-03-{1 + n % 9:02d}/tenant={n}/events.parquet" for n in range(count)]


@pytest.mark.parametrize("count", [FEW, MANY])
def test_nothing_changes_before_the_block_ends(tmp_path: Path, count: int) -> None:
    place = open_storage(str(tmp_path / "lake"))
    for body in (b"old", b"new"):
        with place.writing() as files:
            for name in names(count):
                files.put(name, body)
            files.remove("never/there.parquet")
            seen = {k: v for k, v in content(tmp_path / "lake").items() if k.endswith(".parquet")}
            assert set(seen.values()) == ({b"old"} if body == b"new" else set())
        assert content(tmp_path / "lake") == dict.fromkeys(names(count), body)
    with place.writing() as files:
        files.remove(names(count)[0])
    assert content(tmp_path / "lake") == dict.fromkeys(names(count)[1:], b"new")


def test_a_failure_inside_the_block_leaves_what_was_there(tmp_path: Path) -> None:
    place = open_storage(str(tmp_path))
    with place.writing() as files:
        files.put("a/x", b"old")
    with pytest.raises(ZeroDivisionError), place.writing() as files:
        files.put("a/x", b"new")
        files.put("b/y", b"new")
        files.remove("a/x")
        raise ZeroDivisionError
    assert content(tmp_path) == {"a/x": b"old"}


def test_what_a_killed_process_left_is_written_over_or_removed(tmp_path: Path) -> None:
    place = open_storage(str(tmp_path))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".x.tmp").write_bytes(b"half")
    with place.writing() as files:
        files.put("a/x", b"whole")
        files.remove("b/x")
    assert content(tmp_path) == {"a/x": b"whole"}


@pytest.mark.parametrize("count", [FEW, MANY])
def test_content_is_durable_before_its_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """A power cut may keep a rename and lose the bytes, unless they were synced before it."""
    order: list[str] = []
    true_sync, true_disk, true_replace = os.fsync, storage._sync_disk, Path.replace

    def sync(descriptor: int) -> None:
        order.append("sync " + os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
        true_sync(descriptor)

    def sync_disk(descriptor: int) -> None:
        order.append("sync all")
        true_disk(descriptor)

    def replace(self: Path, target: Path) -> Path:
        order.append(f"rename {target}")
        return true_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(storage, "_sync_disk", sync_disk)
    monkeypatch.setattr(Path, "replace", replace)
    root = tmp_path / "lake"
    with open_storage(str(root)).writing() as files:
        for name in names(count):
            files.put(name, b"x")
        assert not order
    if count == MANY and storage._syncfs() is not None:
        renames = [f"rename {root / name}" for name in names(count)]
        assert order == ["sync all", *renames, "sync all"]
        return
    for name in names(count):
        target = root / name
        renamed = order.index(f"rename {target}")
        assert order.index(f"sync {target.parent / '.events.parquet.tmp'}") < renamed
        for folder in (target.parent, target.parent.parent, root):
            assert f"sync {folder}" in order[renamed:]


def test_many_bytes_take_their_names_in_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_GROUP", 1000)
    place = open_storage(str(tmp_path))
    with pytest.raises(ZeroDivisionError), place.writing() as files:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda name: files.put(name, bytes(99)), names(MANY)))
        raise ZeroDivisionError
    left = content(tmp_path)
    assert set(left) <= set(names(MANY)) and set(left.values()) == {bytes(99)}
    assert MANY - len(left) <= 11  # what did not fill a group


def test_without_a_call_for_the_whole_disk_every_file_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    true_sync = os.fsync
    monkeypatch.setattr(storage, "_syncfs", lambda: None)
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), true_sync(fd))[1])
    with open_storage(str(tmp_path)).writing() as files:
        for name in names(MANY):
            files.put(name, b"x")
    assert len(synced) >= 2 * MANY
