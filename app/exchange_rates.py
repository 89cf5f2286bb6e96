"""Refreshes the seeds of exchange rates from a file of the European Central Bank.

What a rate is goes into one seed; that it became known, or became another, after its day goes into the other one.
Belongs here: the forms in which the bank publishes its reference rates, and what of a file is new. Does not
belong here: what an amount is worth (`int_revenue__fx_daily`), what that restates (`int_revenue__restated_rates`).
"""

import bisect
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from xml.etree import ElementTree

from app.whole_files import write_whole
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import PROJECT_ROOT

SEED = PROJECT_ROOT / "seeds" / "revenue" / "fx_rates.csv"
REVISIONS = "fx_rate_revisions.csv"  # beside it
COLUMNS = ("rate_date", "currency", "eur_rate")
REVISION_COLUMNS = ("rate_date", "currency", "known_on", "eur_rate_before")
FORMS = "a CSV with a column a currency or with rate_date, currency and eur_rate, the bank's XML, or either zipped"

Rates = Mapping[tuple[date, str], Decimal]

_CURRENCY = re.compile(r"[A-Za-z]{3}")
_NONE = ("", "N/A")


@dataclass(frozen=True)
class Refreshed:
    """What a file brought: numbers of rates, and the newest day of the whole seed."""

    new: int
    changed: int
    late: int  # of both, those that past days were valued without
    currencies: int
    first: date
    last: date


def refresh(file: Path, known_on: date, seed: Path = SEED) -> Refreshed:
    """Put the rates of `file`, known from `known_on` on, into `seed`, which keeps what the file does not have. All or
    nothing; the revisions first, which are the same when it is done again.

    Raises `TallyhouseError` naming the place when the file cannot be read, and then writes nothing.
    """
    found = read(file)
    before = read(seed) if seed.exists() else {}
    after = {**before, **found}
    late = _late(found, before, known_on)
    if late:
        revisions = seed.with_name(REVISIONS)
        # who asks twice on a day hears what stood before the first time
        known = {**late, **_read_revisions(revisions)}
        _write(revisions, REVISION_COLUMNS, ((*key, rate) for key, rate in sorted(known.items())))
    rows = (
        (day.isoformat(), currency, format(rate, "f"))
        for (day, currency), rate in sorted(after.items())
    )
    _write(seed, COLUMNS, rows)
    days = [day for day, _ in after]
    return Refreshed(
        new=sum(key not in before for key in found),
        changed=sum(key in before and before[key] != rate for key, rate in found.items()),
        late=len(late),
        currencies=len({currency for _, currency in found}),
        first=min(days),
        last=max(days),
    )


def read(file: Path) -> dict[tuple[date, str], Decimal]:
    """Units of a currency for one euro by day and currency (lower case), in any of `FORMS`."""
    try:
        content = file.read_bytes()
        if zipfile.is_zipfile(io.BytesIO(content)):
            content = _only_file_of(content, file)
    except OSError as error:
        raise TallyhouseError(f"{file} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise TallyhouseError(f"{file} is a zip that cannot be opened: {error}.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TallyhouseError(f"{file} holds no exchange rates: give {FORMS}.") from error
    told = _of_xml(text, file) if text.lstrip().startswith("<") else _of_csv(text, file)
    rates: dict[tuple[date, str], Decimal] = {}
    for place, day, currency, rate in told:
        if rate.strip() not in _NONE:
            rates[_day(day, place), currency.strip().lower()] = _rate(rate, place)
    if not rates:
        raise TallyhouseError(f"{file} holds no exchange rates: give {FORMS}.")
    return rates


def _late(found: Rates, before: Rates, known_on: date) -> dict[tuple[str, str, str], str]:
    """Rates of days that were over, by the columns of a revision's key, and what stood in their place."""
    days: dict[str, list[date]] = {}
    for day, currency in sorted(before):
        days.setdefault(currency, []).append(day)
    late = {}
    for (day, currency), rate in found.items():
        known = days.get(currency, [])
        place = bisect.bisect_right(known, day)
        stood = before[known[place - 1], currency] if place else None
        is_new = (day, currency) not in before
        if day < known_on and stood is not None and (is_new or stood != rate):
            late[day.isoformat(), currency, known_on.isoformat()] = format(stood, "f")
    return late


def _read_revisions(file: Path) -> dict[tuple[str, str, str], str]:
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return {
            (row["rate_date"], row["currency"], row["known_on"]): row["eur_rate_before"]
            for row in csv.DictReader(lines)
        }


def _only_file_of(content: bytes, file: Path) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise TallyhouseError(
                f"{file} is a zip of {len(names)} files: give one of a single file."
            )
        return archive.read(names[0])


def _of_csv(text: str, file: Path) -> Iterator[tuple[str, str, str, str]]:
    reader = csv.reader(io.StringIO(text))
    header = [name.strip() for name in next(reader, [])]
    names = [name.lower() for name in header]
    if names == list(COLUMNS):
        for row in reader:
            if row:
                place = f"{file}, line {reader.line_num}"
                if len(row) != len(COLUMNS) or not _CURRENCY.fullmatch(row[1].strip()):
                    raise TallyhouseError(
                        f"{place}: expected a day, a currency of three letters and a rate."
                    )
                yield place, row[0], row[1], row[2]
        return
    currencies = {n: name for n, name in enumerate(header) if n and name}
    if names[:1] != ["date"] or not all(map(_CURRENCY.fullmatch, currencies.values())):
        raise TallyhouseError(f"{file} holds no exchange rates: give {FORMS}.")
    for row in reader:
        if any(cell.strip() for cell in row):
            place = f"{file}, line {reader.line_num}"
            if len(row) <= max(currencies, default=0):
                raise TallyhouseError(f"{place}: {len(row)} columns, the header has {len(header)}.")
            for n, currency in currencies.items():
                yield f"{place}, {currency}", row[0], currency, row[n]


def _of_xml(text: str, file: Path) -> Iterator[tuple[str, str, str, str]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TallyhouseError(f"{file} is no file of exchange rates: give {FORMS}.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise TallyhouseError(f"{file} is XML that ends or breaks off: {error}.") from error
    for day in root.iter():
        if "time" in day.attrib:
            for told in day:
                currency = told.get("currency", "")
                place = f"{file}, {day.attrib['time']}, {currency}"
                yield place, day.attrib["time"], currency, told.get("rate", "")


def _day(text: str, place: str) -> date:
    for form in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise TallyhouseError(f"{place}: {text.strip()!r} is no day such as 2026-03-02.")


def _rate(text: str, place: str) -> Decimal:
    try:
        rate = Decimal(text.strip())
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or rate <= 0:
        raise TallyhouseError(
            f"{place}: {text.strip()!r} is no exchange rate, which is a number above 0."
        )
    return rate


def _write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_whole(file, lines.getvalue())
