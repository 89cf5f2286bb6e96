"""Files of a place: written whole or not at all, and durable when the block ends."""

import os
import subprocess
import sys
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


@pytest.mark.parametrize("count", [FEW, MANY])
def test_files_put_aside_get_their_names_when_the_block_ends(tmp_path: Path, count: int) -> None:
    place = open_storage(str(tmp_path))
    aside = place.staged_files()
    assert aside is not None
    made = [aside.put(b"%d" % number) for number in range(count + 1)]
    with pytest.raises(ZeroDivisionError), place.writing() as files:
        files.move(made[0], "x")
        raise ZeroDivisionError
    with place.writing() as files:
        for path, name in zip(made, names(count), strict=False):
            files.move(path, name)
        assert not [name for name in content(tmp_path) if name.endswith(".parquet")]
    wanted = {name: b"%d" % number for number, name in enumerate(names(count))}
    assert {k: v for k, v in content(tmp_path).items() if k in wanted} == wanted
    aside.close()
    assert content(tmp_path) == wanted  # what got no name is gone


def test_a_file_put_aside_is_durable_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    true_sync, true_replace = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        order.append(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
        true_sync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return true_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    place = open_storage(str(tmp_path))
    aside = place.staged_files()
    assert aside is not None
    made = aside.put(b"x")
    with place.writing() as files:
        files.move(made, "a/x")
    assert order[:2] == [str(made), "rename"] and str(tmp_path / "a") in order[2:]


def test_what_a_killed_process_put_aside_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys; from tallyhouse.storage import open_storage;"
        "open_storage(sys.argv[1]).staged_files().put(b'x'); os.kill(os.getpid(), 9)"
    )
    alive = open_storage(str(tmp_path)).staged_files()
    assert alive is not None
    kept = alive.put(b"kept")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (done.returncode, len(content(tmp_path))) == (-9, 2)
    with open_storage(str(tmp_path)).writing():
        pass
    assert content(tmp_path) == {kept.relative_to(tmp_path).as_posix(): b"kept"}
    alive.close()


def test_who_only_opens_places_starts_no_arrow() -> None:
    """The receiver, whose memory and start it would cost."""
    code = "import sys, serving.receiver.landing_writer; sys.exit('pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


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
