"""Landing files of product events, of a known size and shape and the same in every run.

An event is a function of (history, product, number) alone, so any of them can be written again as a
duplicate, and files can be written side by side. Belongs here: events and the contracts they are
read by. Does not belong here: change records (`changes`), sources that behave like people
(`simulator`).
"""

import hashlib
import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import yaml

from benchmarks.event_lines import foreign_event, house_event, spoiled

PRODUCTS = ("upcoach", "rostracore")
USERS = 20_000  # of each product
WEEKS = 26
START = datetime(2026, 1, 5, tzinfo=UTC)
DUPLICATES, INVALID = 200, 2_000  # one line in so many
SHAPE = (
    "two products (one in the house's envelope, one in foreign field names) with two tenants each;"
    f" 13 files of two weeks each, {WEEKS} weeks; {USERS:,} users a product who join over"
    " time, the older the busier; 9 event names a product with 2 to 6 properties (numbers, words, ids);"
    " random UUIDv4 ids; a user agent and an address in every line; 60 % with a session id, 4 % with a"
    " visitor instead of a user, 10 % with a sentence of free text, 5 % with a property that"
    " the contract says to tokenise; 0.5 % of the lines are duplicates, 0.05 % are invalid"
)


@dataclass(frozen=True)
class History:
    """So many lines over a stretch of days. `is_clean` leaves the invalid ones out."""

    name: str
    lines: int
    first_day: int = 0
    days: int = 7 * WEEKS
    files: int = 26
    is_clean: bool = False
    products: tuple[str, ...] = PRODUCTS

    @property
    def last_date(self) -> date:
        return (START + timedelta(days=self.first_day + self.days - 1)).date()


def write_contracts(root: Path, folder: Path) -> None:
    """The products' own contracts, plus a free text and a property tagged as personal data."""
    folder.mkdir(parents=True, exist_ok=True)
    for product in PRODUCTS:
        contract = yaml.safe_load((root / f"contracts/events/{product}.yml").read_text("utf-8"))
        contract["common"] |= {
            "comment": "string",
            "referred_by": {"type": "string", "personal": "token"},
        }
        (folder / f"{product}.yml").write_text(yaml.safe_dump(contract), "utf-8")


def write_events(landing: Path, history: History) -> int:
    """Write the history's files below `landing`; returns their bytes."""
    each = max(1, history.files // len(history.products))
    for product in history.products:
        (landing / "events" / product).mkdir(parents=True, exist_ok=True)
    jobs = [
        (landing, history, product, number, each)
        for product in history.products
        for number in range(each)
    ]
    return written(_write_file, jobs, is_little=history.lines < 50_000)


def written(write: Callable[..., int], jobs: Sequence[tuple[Any, ...]], *, is_little: bool) -> int:
    """What the jobs write, in all: one after another where it is little, else in processes of their own."""
    if is_little:
        return sum(write(*job) for job in jobs)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return sum(pool.map(write, *zip(*jobs, strict=True)))


def _write_file(landing: Path, history: History, product: str, number: int, files: int) -> int:
    count = history.lines // len(history.products)
    make = _Lines(history, product, count)
    path = landing / "events" / product / f"{history.name}-{number:03}.jsonl"
    with path.open("wb") as file:
        for i in range(number * count // files, (number + 1) * count // files):
            file.write(make.line(i))
    return path.stat().st_size


class _Lines:
    def __init__(self, history: History, product: str, count: int) -> None:
        self._history, self._count = history, count
        self._seed = f"{history.name}:{product}:".encode()
        self._make: Callable[..., dict[str, Any]] = (
            house_event if product == "upcoach" else foreign_event
        )

    def line(self, number: int) -> bytes:
        """The line at a place of the stream: an event, one said before, or something invalid."""
        chance = hashlib.blake2b(self._seed + b"?%d" % number, digest_size=8).digest()
        first, second = struct.unpack("<II", chance)
        if first % DUPLICATES == 0 and number > 0:
            number -= 1 + second % min(number, 100_000)
        event = self._event(number)
        if first % INVALID == 1 and not self._history.is_clean:
            return spoiled(event, second)
        return orjson.dumps(event) + b"\n"

    def _event(self, number: int) -> dict[str, Any]:
        digest = hashlib.blake2b(self._seed + b"%d" % number, digest_size=64).digest()
        words = struct.unpack("<12I", digest[16:])
        history = self._history
        day = history.first_day + history.days * number / self._count
        joined = USERS * min(1.0, 0.1 + 0.9 * day / (7 * WEEKS))
        user = int(joined * (words[0] / 2**32) ** 2)
        at = START + timedelta(days=day)
        return self._make(_uuid(digest[:16].hex()), at, int(day * 4), user, words)


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
