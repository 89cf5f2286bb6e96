"""Who makes the warehouse's own work wait, and an end to it.

A reader in an open transaction keeps a finished mart from being swapped in, and every later reader
queues behind the swap. `watched` says for whom a build waits and, after a time, ends that reader's
transaction; `take_lock` takes an advisory lock of ours from whoever holds it without being us.
Belongs here: waiting for other logins. Does not belong here: what the work is.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tallyhouse.database.warehouse import Warehouse
from tallyhouse.errors import TallyhouseError

Say = Callable[[str], None]

LOOK_SECONDS = 1.0
TOLD_AFTER = 3.0  # seconds of waiting that are not worth a word
CROWDED_PATIENCE = 5.0  # seconds, where other readers wait behind the build

# the sessions of others in whose way our own sessions do not get on, and whether readers queue behind ours
IN_THE_WAY = """
with ours as (
    select pid from pg_stat_activity
    where datname = current_database() and usename = current_user and wait_event_type = 'Lock'
),
blocking as (
    select distinct unnest(pg_blocking_pids(pid)) as pid from ours
)
select
    activity.pid,
    activity.usename::text,
    activity.state,
    exists (
        select from pg_stat_activity as queued
        where
            queued.usename <> current_user
            and queued.wait_event_type = 'Lock'
            and pg_blocking_pids(queued.pid) && (select array_agg(pid) from ours)
    )
from blocking
inner join pg_stat_activity as activity on blocking.pid = activity.pid
where activity.usename <> current_user
"""

HOLDERS = """
select activity.pid, activity.usename::text, activity.usename = current_user
from pg_locks as locks
inner join pg_stat_activity as activity on locks.pid = activity.pid
where
    locks.locktype = 'advisory' and locks.granted and locks.objsubid = 1
    and locks.database = (select oid from pg_database where datname = current_database())
    and (cast(locks.classid as bigint) << 32) + cast(locks.objid as bigint) = %s
"""


@contextmanager
def watched(warehouse: Warehouse, patience: float, say: Say) -> Iterator[None]:
    """While the block works on this warehouse, no reader holds it up for more than `patience` seconds.

    Where other readers queue behind our work, the one in the way has CROWDED_PATIENCE at most.
    """
    done = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(warehouse, patience, say, done), name="reader-watch", daemon=True
    )
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()


def take_lock(connection: psycopg.Connection[Any], key: int, say: Say, waiting_for: str) -> None:
    """Take our advisory lock for this session, waiting for another holder of ours to end.

    Only the role that builds has any business with it: whoever else holds it is disconnected.
    """
    is_told = False
    while not _is_taken(connection, key):
        for pid, login, is_ours in connection.execute(HOLDERS, [key]).fetchall():
            if is_ours:
                if not is_told:
                    say(waiting_for)
                    is_told = True
            else:
                _end(connection, pid, login, "holds a lock of the warehouse's own", say)
        time.sleep(0.2)


def _is_taken(connection: psycopg.Connection[Any], key: int) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s)", [key]).fetchone()
    return bool(row and row[0])


def _watch(warehouse: Warehouse, patience: float, say: Say, done: threading.Event) -> None:
    since: dict[int, float] = {}
    told: set[int] = set()
    try:
        with warehouse.connect(autocommit=True) as connection:
            while not done.wait(LOOK_SECONDS):
                found = connection.execute(IN_THE_WAY).fetchall()
                now = time.monotonic()
                since = {pid: since.get(pid, now) for pid, *_ in found}
                for pid, login, state, is_crowded in found:
                    waited = now - since[pid]
                    if waited >= TOLD_AFTER and pid not in told:
                        told.add(pid)
                        say(f"The build waits for {login} (process {pid}, {state}).")
                    if waited >= (min(patience, CROWDED_PATIENCE) if is_crowded else patience):
                        _end(
                            connection,
                            pid,
                            login,
                            f"kept the build waiting for {waited:.0f} s",
                            say,
                        )
    except (psycopg.Error, TallyhouseError) as error:
        # the work itself meets the same server, and fails with a sentence where it must
        if not done.is_set():
            say(f"Nobody watches for readers that hold up the build any more ({error}).")


def _end(connection: psycopg.Connection[Any], pid: int, login: str, what: str, say: Say) -> None:
    connection.execute("select pg_terminate_backend(%s)", [pid])
    say(f"{login} (process {pid}) {what} and was disconnected; it may connect again.")
