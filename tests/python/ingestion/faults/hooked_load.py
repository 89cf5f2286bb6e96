"""A load in a process of its own that ends itself, kill -9, at a given moment.

Run with: database URL, landing, lake, key file, a file for the counts, and `phase` and `number`
(or nothing): at the phase's number-th moment it is gone. Phases are seen from outside, in what the
load asks of the database and of the file system, not in its own functions. Where the variable RELOAD
names files it is a reload of these.
"""

import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

STATEMENTS = {
    "keys": re.compile(r"copy raw_\w+\.\w*keys"),
    "withdrawal": re.compile(r"delete from (raw_\w+\.\w+$|raw_\w+\.\w+ *\n|raw_\w+\.\w+_keys)"),
    "fold": re.compile(r"raw_cdc\"?\.\"?\w+__\w+"),
    "ledger": re.compile(r"insert into ops\.load_manifest"),
    "commit": re.compile(r"commit"),
}


class Moments:
    """Counts the moments of each phase and ends the process at the one that was asked for."""

    def __init__(self, wanted: tuple[str, int] | None) -> None:
        self.wanted = wanted
        self.seen: Counter[str] = Counter()

    def at(self, phase: str) -> None:
        self.seen[phase] += 1
        if self.wanted == (phase, self.seen[phase]):
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, query: Any, when: str) -> None:
        if isinstance(query, bytes):
            query = query.decode()
        text = query if isinstance(query, str) else query.as_string()
        for phase, pattern in STATEMENTS.items():
            if pattern.match(text) if phase == "commit" else pattern.search(text):
                self.at(f"{when} {phase}")


def main() -> None:
    url, landing, lake, key, counts, *wanted = sys.argv[1:]
    moments = Moments((wanted[0], int(wanted[1])) if wanted else None)

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *given: Any, **options: Any) -> Any:
            moments.statement(query, "before")
            done = super().execute(query, *given, **options)
            moments.statement(query, "after")
            return done

        @contextmanager
        def copy(self, statement: Any, *given: Any, **options: Any) -> Iterator[Any]:
            with super().copy(statement, *given, **options) as copy:
                yield copy
                moments.at("in copy")
            moments.statement(statement, "after")

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if event == "open" and str(given[0]).startswith(landing):
            moments.at("reading")
        if event == "os.rename" and str(given[1]).startswith(lake):
            moments.at("before lake file")

    from ingestion.load import load_all, reload
    from tallyhouse.settings import Settings

    sys.addaudithook(watch)
    settings = replace(
        Settings.from_env({}), landing=landing, lake=lake, pii_key_file=Path(key), contracts=()
    )

    def connect(**options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(url, cursor_factory=Cursor, **options)

    if words := os.environ.get("RELOAD"):
        reload(connect, settings, words.split(), processes=1)
    else:
        load_all(connect, settings, processes=1)
    Path(counts).write_text(json.dumps(moments.seen))


if __name__ == "__main__":
    main()
