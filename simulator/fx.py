"""Exchange rates for the truth: the same published euro rates that the warehouse is seeded with.

A rate is exact (`Decimal`): reporting amount = amount × (EUR→reporting ÷ EUR→currency), both of the
last day published on or before the date.
"""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

from simulator.timeline import epoch_day

REPORTING = "USD"
SEED = Path(__file__).resolve().parents[1] / "seeds" / "revenue" / "fx_rates.csv"


class Rates:
    """Published rates by currency and day."""

    def __init__(self, table: dict[str, dict[int, Decimal]]) -> None:
        self._table = table
        self._known: dict[tuple[str, int], Decimal] = {}

    @classmethod
    def read(cls, path: Path = SEED) -> Rates:
        """Reads the seed in either layout: one column per currency, or (date, currency, rate) rows."""
        table: dict[str, dict[int, Decimal]] = {}
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            names = reader.fieldnames or []
            day_name = next(n for n in names if "date" in n.lower())
            long = next(
                (n for n in names if "currency" in n.lower() and "base" not in n.lower()), ""
            )
            rate_name = next((n for n in names if "rate" in n.lower() and n != day_name), "")
            for row in reader:
                day = epoch_day(date.fromisoformat(row[day_name][:10]))
                pairs = (
                    [(row[long], row[rate_name])]
                    if long
                    else [(n, row[n]) for n in names if n != day_name]
                )
                for currency, rate in pairs:
                    if rate not in ("", "N/A", None):
                        table.setdefault(currency.upper(), {})[day] = Decimal(rate)
        return cls(table)

    def factor(self, currency: str, day: date) -> Decimal:
        """What one unit of `currency` is worth in the reporting currency on `day`."""
        code = currency.upper()
        if code == REPORTING:
            return Decimal(1)
        number = epoch_day(day)
        known = self._known.get((code, number))
        if known is None:
            with localcontext() as context:
                context.prec = 40
                known = self._last(REPORTING, number) / self._last(code, number)
            self._known[code, number] = known
        return known

    def _last(self, code: str, number: int) -> Decimal:
        if code == "EUR":
            return Decimal(1)
        published = self._table.get(code)
        if not published:
            raise LookupError(f"no exchange rate is known for {code}; add it to {SEED.name}")
        for day in range(number, number - 31, -1):
            if day in published:
                return published[day]
        raise LookupError(f"no rate for {code} was published in the 30 days up to day {number}")
