"""The embedded Postgres of one home folder: made once, started on demand, trusted only when proven.

What lies in `<home>/postgres`: `data/` (of the server's account, with the server's words in
`data/log`), `password` and `server.json` (0600), `server.log` (what it says before it opens that),
`lock`. One starter at a time holds the lock; everybody else waits and finds
the server running. A server that answers on the remembered port is believed only after its
`data_directory` was compared and it read back a random word that was just written into our folder.

Belongs here: start, stop, recovery, proof. Does not belong here: making a cluster (`cluster`);
databases, roles, tables.
"""

import fcntl
import functools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zlib import crc32

import psycopg

from tallyhouse.closed_files import replace_closed
from tallyhouse.database.account import Account, binaries, reach, server_account, socket_folder
from tallyhouse.database.cluster import (
    ROLE,
    last_words,
    make_cluster,
    server_environment,
)
from tallyhouse.database.configuration import LOG_FOLDER, STATEMENT_LOG
from tallyhouse.database.process import free_port, is_alive, is_free, is_postgres_in, wait_for
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import make_folder

START_SECONDS = 180.0
STOP_SECONDS = 60.0
SILENT_SECONDS = 3.0  # for which nobody needs to know that somebody else starts it
PROBE = "tallyhouse_probe"


@dataclass(frozen=True)
class Address:
    """Where a running server is and how to be let in."""

    port: int
    password: str
    pid: int
    socket_dir: str
    host: str = "127.0.0.1"
    user: str = ROLE


class EmbeddedServer:
    """The server of one home folder; making the object touches nothing."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"

    # what is there ------------------------------------------------------------------------

    def running(self) -> Address | None:
        """The address of our server when it answers and proves to be ours, else None."""
        if not (self.data / "PG_VERSION").exists():
            return None
        pid = self._pid()
        if pid is None or not is_postgres_in(pid, self.data):
            return None
        address = self._remembered()
        return address if address and self._is_ours(address) else None

    def start(self) -> Address:
        """Start the server unless it runs; the first start makes the cluster."""
        address = self.running()
        if address:
            return address
        make_folder(self.folder)
        with self._lock():
            address = self.running()
            if address:
                return address
            account = server_account()
            install = binaries(account)
            if not (self.data / "PG_VERSION").exists():
                make_cluster(self.folder, self.data, account, install)
            self._clear_stale_pid_file()
            return self._launch(account, install)

    def stop(self) -> bool:
        """Stop the server; False when none was running."""
        if not self.data.exists():
            return False
        with self._lock():
            pid = self._pid()
            if pid is None or not is_postgres_in(pid, self.data):
                return False
            os.kill(pid, signal.SIGINT)  # fast shutdown: open sessions are ended, work is kept
            if wait_for(lambda: not is_alive(pid), STOP_SECONDS):
                return True
            # A server told to stop while it recovers from a crash may wait for itself for ever;
            # ended at once, it recovers when it starts again.
            os.kill(pid, signal.SIGQUIT)
            if not wait_for(lambda: not is_alive(pid), STOP_SECONDS):
                raise TallyhouseError(
                    f"Postgres (process {pid}) did not stop within {STOP_SECONDS:.0f} seconds; "
                    f"its log is {self.log}."
                )
            return True

    def program(self, name: str) -> Path:
        """The path of one of the programs that came with the server, for example psql."""
        return binaries(Account()) / "bin" / name

    # starting -----------------------------------------------------------------------------

    def _clear_stale_pid_file(self) -> None:
        """A killed server leaves `postmaster.pid`; its number may be a zombie's or another's."""
        pid = self._pid()
        if pid is None:
            return
        if is_postgres_in(pid, self.data):
            # Ours, but not answering yet: starting, recovering or shutting down.
            if wait_for(functools.partial(self._answers_or_is_dead, pid), START_SECONDS):
                if is_alive(pid):
                    return
            else:
                raise TallyhouseError(
                    f"A Postgres (process {pid}) works in {self.data} but does not answer. See "
                    f"{self.log}; end that process, then start again."
                )
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _launch(self, account: Account, install: Path) -> Address:
        address = self.running()
        if address:
            return address
        for attempt in range(20):
            port = self._choose_port(attempt)
            socket_dir = socket_folder(self.data, account)
            mark = self.log.stat().st_size if self.log.exists() else 0
            begun = time.time()
            pid = self._spawn(account, install, port, socket_dir)
            replace_closed(
                self.folder / "server.json",
                json.dumps({"port": port, "pid": pid, "socket_dir": socket_dir}) + "\n",
            )
            if wait_for(functools.partial(self._answers_or_is_dead, pid), START_SECONDS):
                address = self.running()
                if address:
                    return address
            words = self._log_since(mark, begun)
            if "Address already in use" in words or "could not create any" in words:
                continue  # someone took the port between the proof and the start
            if "still in use" in words and attempt < 10:
                time.sleep(0.5)  # the children of a killed server are on their way out
                continue
            raise TallyhouseError(
                f"The embedded database did not start: {last_words(words)} (log: {self.log})"
            )
        raise TallyhouseError(
            "No free port was found on 127.0.0.1 for the embedded database; close some programs "
            "that listen there."
        )

    def _spawn(self, account: Account, install: Path, port: int, socket_dir: str) -> int:
        """Start in the background, in a session of its own; the shell leaves it to init."""
        with self.log.open("ab") as log, reach(self.data, account) as (path, descriptors):
            server = [str(install / "bin" / "postgres"), "-D", path, "-p", str(port)]
            server += [word for option in STATEMENT_LOG for word in ("-c", option)]
            answer = subprocess.run(
                ["/bin/sh", "-c", '"$@" 2>&1 & echo $! >&2', "sh", *server, "-k", socket_dir],
                cwd="/",
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                check=True,
                start_new_session=True,
                pass_fds=descriptors,
                **account.popen_options,
            )
        return int(answer.stderr)

    # small questions ----------------------------------------------------------------------

    def _answers_or_is_dead(self, pid: int) -> bool:
        return not is_alive(pid) or self.running() is not None

    def _choose_port(self, attempt: int) -> int:
        """The last port if it is free, else one derived from the folder, else the next ones."""
        address = self._remembered()
        if attempt == 0 and address and is_free(address.port):
            return address.port
        return free_port(20000 + crc32(str(self.data).encode()) % 10000 + attempt)

    def _remembered(self) -> Address | None:
        try:
            said = json.loads((self.folder / "server.json").read_text())
            password = (self.folder / "password").read_text().strip()
            return Address(said["port"], password, said["pid"], said["socket_dir"])
        except PermissionError as error:
            raise TallyhouseError(
                f"The database in {self.folder} belongs to another account. Use it from that one, "
                "or set TALLYHOUSE_HOME to a folder of your own."
            ) from error
        except (OSError, ValueError, KeyError):
            return None

    def _is_ours(self, address: Address) -> bool:
        """Believe the server that answers only after it proved to work in our folder."""
        word = secrets.token_hex(16)
        probe = self.data / f"{PROBE}_{word[:8]}"
        try:
            with psycopg.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password,
                dbname="postgres",
                connect_timeout=5,
                autocommit=True,
            ) as connection:
                row = connection.execute("show data_directory").fetchone()
                shown = str(row[0]) if row else ""
                if not shown.startswith("/proc/self/fd/") and not _same(shown, self.data):
                    return False
                probe.write_text(word)
                probe.chmod(0o644)
                row = connection.execute(
                    "select pg_read_file(%s, 0, 64, true)", [probe.name]
                ).fetchone()
                return bool(row and row[0] == word)
        except psycopg.Error:
            return False
        finally:
            probe.unlink(missing_ok=True)

    def _pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _log_since(self, mark: int, begun: float) -> str:
        """What the server said before and after it opened its own log."""
        with self.log.open("rb") as log:
            log.seek(mark)
            lines = log.read().decode("utf-8", "replace").splitlines()
        for path in sorted((self.data / LOG_FOLDER).glob("*.json")):
            if path.stat().st_mtime >= begun - 1:
                lines += [_shown(line) for line in path.read_bytes().splitlines()]
        return "\n".join(lines)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Nobody else starts or stops this server meanwhile; who holds the lock says so in its file."""
        path = self.folder / "lock"
        with path.open("a+") as file:
            if not wait_for(functools.partial(_is_ours, file), SILENT_SECONDS):
                holder = _holder(file)
                print(
                    f"{holder} starts or stops the warehouse's server (lock {path}); waiting for it.",
                    file=sys.stderr,
                    flush=True,
                )
                if not wait_for(functools.partial(_is_ours, file), START_SECONDS + STOP_SECONDS):
                    raise TallyhouseError(
                        f"{holder} has held {path} for {START_SECONDS + STOP_SECONDS:.0f} seconds. Nothing "
                        "was touched: if it hangs, end that process and run again."
                    )
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield


def _is_ours(file: IO[str]) -> bool:
    """Take the lock, if nobody holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> str:
    file.seek(0)
    number = file.read().strip()
    return f"Process {number}" if number else "Another process"


def _shown(line: bytes) -> str:
    """A line of the server's own log as it would stand in a plain one."""
    try:
        said = json.loads(line)
        return f"{said['error_severity']}:  {said['message']}"
    except (ValueError, KeyError, TypeError):
        return line.decode("utf-8", "replace")


def _same(shown: str, data: Path) -> bool:
    return os.path.realpath(shown) == os.path.realpath(data)
