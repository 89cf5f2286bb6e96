"""The tables of rental: what happened, counted by the tenant's days and weeks.

What belongs here: counting. What does not: what happened (`happened`). Time is cut as intervals of
milliseconds, [from, until), that are joined, taken off one another and split at local midnights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from simulator.timeline import HOUR, MINUTE, LocalDays
from simulator.truth.rental.happened import Happened, Invoice, Item, Transport
from simulator.truth.table import Table, entity_uuid

TOLERANCE = 15 * MINUTE
STANDING = 24 * HOUR
DAYS_TO_COLLECT = 30
Spans = list[tuple[int, int]]
Counts = dict[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Rental:
    """Counts what happened at one product's companies, whose calendars are `days`, up to `as_of`."""

    product: str
    happened: Happened
    days: Mapping[str, LocalDays]
    as_of: int

    def tables(self) -> list[Table]:
        return [
            self._equipment(),
            self._transports(),
            self._scans(),
            self._invoices(),
            self._collections(),
            self._growth(),
        ]

    # --- equipment --------------------------------------------------------------------------------
    def _equipment(self) -> Table:
        booked: dict[int, Spans] = defaultdict(list)
        for booking in self.happened.bookings:
            until = min(booking.ends, booking.cancelled or booking.ends)
            if until > booking.starts:
                booked[id(booking.item)].append((booking.starts, until))
        counts: Counts = defaultdict(lambda: defaultdict(int))
        for item in self.happened.items:
            service = [(item.acquired, min(item.retired or self.as_of, self.as_of))]
            off = joined(within(item.maintenance, service))
            free = without(service, off)
            taken = within(joined(booked[id(item)]), free)
            for day, length in self._by_day(item, service):
                counts[day, item.tenant, item.category]["equipment_count"] += length > 0
            for name, spans in (("available", free), ("booked", taken), ("maintenance", off)):
                for day, length in self._by_day(item, spans):
                    counts[day, item.tenant, item.category][name] += length
        names = ("available", "booked", "maintenance")
        return self._table(
            "rental_equipment_daily",
            "day × tenant × category in service",
            "pieces in service; hours available, booked and in maintenance, up to as_of",
            (
                "metric_date",
                "tenant_id",
                "category",
                "equipment_count",
                *(f"{n}_hours" for n in names),
            ),
            (
                (*key, row["equipment_count"], *(f"{row[n] / HOUR:.8f}" for n in names))
                for key, row in sorted(counts.items())
            ),
        )

    def _by_day(self, item: Item, spans: Spans) -> Iterator[tuple[date, int]]:
        """The length of the spans on each local day that they reach, in milliseconds."""
        days, lengths = self.days[item.tenant], defaultdict[int, int](int)
        for begins, ends in spans:
            for index in range(days.index(begins), days.index(ends - 1) + 1):
                midnight, next_one = days.midnights[index], days.midnights[index + 1]
                lengths[index] += int(min(ends, next_one) - max(begins, midnight))
        for index, length in sorted(lengths.items()):
            yield days.dates[index], length

    # --- transports, scans ------------------------------------------------------------------------
    def _transports(self) -> Table:
        counts: Counts = defaultdict(lambda: defaultdict(list))
        for transport in self.happened.transports:
            planned = counted_plan(transport)
            if transport.is_cancelled:
                continue
            row = counts[self.days[transport.tenant].day(planned), transport.tenant]
            if transport.departed is not None:
                row["on_time"].append(transport.departed <= planned + TOLERANCE)
                row["delays"].append((transport.departed - planned) / MINUTE)
            elif planned + TOLERANCE < self.as_of:
                row["on_time"].append(False)
        return self._table(
            "rental_transport_daily",
            "day × tenant with departures that can be judged",
            "departures by the day of the plan that stood 24 hours before; median delay of those that left",
            (
                "metric_date", "tenant_id", "departures_planned", "departures_on_time",
                "delay_minutes_median",
            ),
            (
                (
                    *key, len(row["on_time"]), sum(row["on_time"]),
                    f"{median(row['delays']):.6f}" if row["delays"] else "",
                )
                for key, row in sorted(counts.items())
                if row["on_time"]
            ),
        )  # fmt: skip

    def _scans(self) -> Table:
        counts: Counts = defaultdict(lambda: defaultdict(int))
        for scan in self.happened.scans:
            if scan.event.is_refused:
                continue
            row = counts[self.days[scan.tenant].day(scan.event.counted_at), scan.tenant]
            row["scans"] += 1
            row["exceptions"] += scan.is_exception
            row["status_changes"] += scan.is_change
        names = ("scans", "exceptions", "status_changes")
        return self._table(
            "rental_scans_daily",
            "day × tenant with scans",
            "scans, those that failed, and those after which the equipment had another status",
            ("metric_date", "tenant_id", *names),
            ((*key, *(row[name] for name in names)) for key, row in sorted(counts.items())),
        )

    # --- invoices ---------------------------------------------------------------------------------
    def _invoices(self) -> Table:
        credited: dict[int, int] = defaultdict(int)
        for note in self.happened.invoices:
            if note.credited is not None:
                credited[id(note.credited)] += note.total

        def row(invoice: Invoice) -> tuple[Any, ...]:
            paid, sign = sum(cents for _, cents in invoice.paid), -1 if invoice.credited else 1
            status = "open"
            if invoice.is_void:
                status = "void"
            elif invoice.credited is not None:
                status = "credited"
            elif paid + credited[id(invoice)] >= invoice.total:
                status = "paid" if paid else "credited"
            return (
                entity_uuid(self.product, "invoice", str(invoice.number)),
                invoice.tenant,
                status,
                sign * invoice.total,
                paid,
                sign * invoice.tax,
                invoice.due,
            )

        return self._table(
            "rental_invoices",
            "invoice or credit note",
            "what became of it; amounts in minor units, tax included, credit notes negative",
            (
                "invoice_id", "tenant_id", "status", "amount_due_cents", "amount_paid_cents",
                "tax_cents", "due_date",
            ),
            (row(invoice) for invoice in self.happened.invoices),
        )  # fmt: skip

    def _collections(self) -> Table:
        due: dict[int, int] = defaultdict(int)
        for invoice in self.happened.invoices:
            due[id(invoice.credited or invoice)] += (
                -invoice.total if invoice.credited else invoice.total
            )
        counts: Counts = defaultdict(lambda: defaultdict(int))
        for invoice in self.happened.invoices:
            if invoice.credited is not None or invoice.is_void:
                continue
            last = invoice.due + timedelta(days=DAYS_TO_COLLECT)
            days = self.days[invoice.tenant]
            in_time = sum(cents for at, cents in invoice.paid if days.day(at) <= last)
            row = counts[invoice.due.replace(day=1), invoice.tenant]
            row["due"] += due[id(invoice)]
            row["collected"] += min(in_time, due[id(invoice)])
        return self._table(
            "rental_collections_monthly",
            "month × tenant in which invoices fall due",
            "what is due less credit notes, and what was paid of it within 30 days of the due day",
            ("month_start", "tenant_id", "amount_due_cents", "amount_collected_cents"),
            ((*key, row["due"], row["collected"]) for key, row in sorted(counts.items())),
        )

    # --- leads ------------------------------------------------------------------------------------
    def _growth(self) -> Table:
        counts: Counts = defaultdict(lambda: defaultdict(int))
        for lead in self.happened.leads:
            day = self.days[lead.tenant].day(lead.at)
            row = counts[day - timedelta(days=day.weekday()), lead.tenant, lead.channel]
            row["leads"] += 1
            row["qualified_leads"] += lead.qualified is not None or lead.won is not None
            row["customers_won"] += lead.won is not None
        names = ("leads", "qualified_leads", "customers_won")
        return self._table(
            "rental_growth_weekly",
            "ISO week × tenant × channel with new leads",
            "persons first told of in the week, and what became of them so far",
            ("week_start", "tenant_id", "channel", *names),
            ((*key, *(row[name] for name in names)) for key, row in sorted(counts.items())),
        )

    def _table(
        self,
        name: str,
        grain: str,
        meaning: str,
        header: tuple[str, ...],
        rows: Iterable[tuple[Any, ...]],
    ) -> Table:
        """The tenant, which every row has second, becomes the warehouse's id."""
        named = (
            (first, entity_uuid(self.product, "tenant", tenant), *rest)
            for first, tenant, *rest in rows
        )
        return Table(name, grain, meaning, header, list(named))


def counted_plan(transport: Transport) -> int:
    """A plan that is less than 24 hours away stands, whatever is planned after that."""
    for (_, planned), (replaced_at, _) in zip(transport.plans, transport.plans[1:], strict=False):
        if replaced_at > planned - STANDING:
            return planned
    return transport.plans[-1][1]


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """The same time as spans that do not touch, in order."""
    found: Spans = []
    for begins, ends in sorted(span for span in spans if span[0] < span[1]):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def within(spans: Iterable[tuple[int, int]], others: Spans) -> Spans:
    """What of the spans lies in any of the others."""
    cut = ((max(a, c), min(b, d)) for a, b in spans for c, d in others)
    return [(begins, ends) for begins, ends in cut if begins < ends]


def without(spans: Spans, others: Spans) -> Spans:
    """What of the spans lies in none of the others, which are in order and apart."""
    left = spans
    for c, d in others:
        left = [
            part for a, b in left for part in ((a, min(b, c)), (max(a, d), b)) if part[0] < part[1]
        ]
    return left
