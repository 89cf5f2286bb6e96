"""What becomes of each piece of equipment: booked, booked twice, cancelled, moved, scanned, maintained."""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.products.rentguy.billing import Billing
from simulator.products.rentguy.catalogue import CATEGORIES, NAME
from simulator.products.rentguy.depot import Depot, amount
from simulator.sources.debezium import decimal
from simulator.timeline import DAY, HOUR, MINUTE, iso_micros
from simulator.truth.rental.happened import Booking, Item, Scan, Transport

REASONS = ("damaged", "unknown_tag", "wrong_location")


class Bookings:
    """The bookings of one company, item by item, and what follows from them."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.chance = depot.world.chance(NAME, depot.tenant, "bookings")
        self.billing = Billing(depot)

    def run(self) -> None:
        for item in list(self.depot.items):
            self._maintain(item)
            self._rent_out(item)

    def _rent_out(self, item: Item) -> None:
        depot, chance = self.depot, self.chance
        day = depot.days.index(max(item.acquired, depot.opened)) + 2
        last = depot.days.index(depot.world.limit) + 1
        while day < last:
            start = depot.clock(day, chance.between(7, 12))
            if item.retired is not None and start >= item.retired:
                return
            if not chance.hit(min(0.9, 0.45 * depot.busy(start))):
                day += 1
                continue
            length = chance.integer(1, 4)
            self._book(item, start, depot.clock(day + length, chance.between(14, 19)))
            if chance.hit(0.05):  # somebody books what is out already
                again = depot.clock(day, chance.between(12, 20))
                self._book(item, again, again + chance.integer(3, 40) * HOUR)
            day += length + 1

    def _book(self, item: Item, starts: int, ends: int) -> None:
        depot, chance = self.depot, self.chance
        booked = starts - int(chance.between(0.3, 18) * DAY)
        booked = max(booked, item.acquired + HOUR, depot.opened + chance.integer(0, HOUR))
        known = [c for c in depot.customers if c.since < booked]
        if booked >= min(starts - HOUR, depot.world.limit) or not known:
            return
        customer, days = chance.pick(known), max(1, round((ends - starts) / DAY))
        value = CATEGORIES[item.category][1] * days
        value = value // 100 if depot.company.tenant.currency == "jpy" else value
        number = depot.new_id("booking")
        row: dict[str, Any] = {
            "project_id": chance.integer(1, 40) if chance.hit(0.6) else None,
            "customer_id": customer.number,
            "equipment_id": item.number,
            "status": "planned",
            "value": decimal(amount(value, depot.company.tenant.currency)),
            "currency": depot.company.tenant.currency.upper() if chance.hit(0.8) else None,
            "booked_at": iso_micros(booked),
            "starts_at": iso_micros(starts),
            "ends_at": iso_micros(ends),
            "cancelled_at": None,
            "note": "Bring the long cables" if chance.hit(0.1) else None,
        }
        depot.insert(booked, "bookings", number, dict(row))
        booking = Booking(depot.tenant, item, customer.number, value, starts, ends)
        depot.happened.bookings.append(booking)
        cancelled = self._cancelled(booked, starts, ends)
        if cancelled is not None and cancelled < depot.world.limit:
            booking.cancelled = cancelled
        else:
            cancelled = None
        self._move(number, "delivery", booked, starts - 2 * HOUR, cancelled)
        if cancelled is not None:
            row |= {"status": "cancelled", "cancelled_at": iso_micros(cancelled)}
            depot.update(cancelled, "bookings", number, row)
            if cancelled > starts:
                self.billing.bill(number, customer.number, value, cancelled)
            return
        self._hand_over(item, starts, "available", "rented")
        depot.update(starts + 5 * MINUTE, "bookings", number, row | {"status": "out"})
        if chance.hit(0.06) and ends - HOUR < depot.world.limit:  # kept for a day more
            booking.ends = ends = ends + DAY
            row["ends_at"] = iso_micros(ends)
            depot.update(ends - DAY - HOUR, "bookings", number, row | {"status": "out"})
        depot.update(ends + 5 * MINUTE, "bookings", number, row | {"status": "returned"})
        self._move(number, "collection", booked, ends + HOUR, None)
        self._hand_over(item, ends, "rented", "available")
        self.billing.bill(number, customer.number, value, ends)

    def _cancelled(self, booked: int, starts: int, ends: int) -> int | None:
        chance = self.chance
        if chance.hit(0.06):
            return booked + int(chance.between(0.1, 0.9) * (starts - booked))
        if chance.hit(0.03):
            return starts + int(chance.between(0.2, 0.8) * (ends - starts))
        return None

    def _move(
        self, booking: int, direction: str, planned_on: int, planned: int, cancelled: int | None
    ) -> None:
        """A transport and its plans; some are put off, some leave late, a few never leave."""
        depot, chance = self.depot, self.chance
        noted = planned_on + chance.integer(1, 20) * MINUTE
        planned = planned // MINUTE * MINUTE
        if cancelled is not None and noted >= cancelled:
            return
        number = depot.new_id("transport")
        row: dict[str, Any] = {
            "booking_id": booking,
            "direction": direction,
            "status": "planned",
            "planned_departure_at": iso_micros(planned),
            "departed_at": None,
            "arrived_at": None,
            "driver_name": f"Driver {chance.integer(1, 9)}",
            "license_plate": f"RG-{chance.integer(100, 999)}-X",
            "delivery_address": "Kade 1",
        }
        if not depot.insert(noted, "transports", number, dict(row)):
            return
        transport = Transport(depot.tenant, [(noted, planned)])
        depot.happened.transports.append(transport)
        for _ in range(2 if chance.hit(0.03) else 1 if chance.hit(0.12) else 0):
            at = planned - int(chance.between(1, 60) * HOUR)
            moved = planned + chance.integer(1, 30) * HOUR - (4 * HOUR if chance.hit(0.3) else 0)
            if at <= transport.plans[-1][0] or moved <= at or (cancelled and at >= cancelled):
                break
            row["planned_departure_at"] = iso_micros(moved)
            if not depot.update(at, "transports", number, row):
                break
            transport.plans.append((at, moved))
            planned = moved
        if cancelled is not None and cancelled < planned:
            depot.update(cancelled + MINUTE, "transports", number, row | {"status": "cancelled"})
            transport.is_cancelled = cancelled + MINUTE < depot.world.limit
            return
        if chance.hit(0.02):
            return
        late = chance.hit(0.14)
        departed = (
            planned + int(chance.between(16, 180) if late else chance.between(-12, 15)) * MINUTE
        )
        departed = max(departed, transport.plans[-1][0] + MINUTE)
        row |= {"status": "departed", "departed_at": iso_micros(departed)}
        if depot.update(departed, "transports", number, row):
            transport.departed = departed
        arrived = departed + int(chance.between(20, 150) * MINUTE)
        row |= {"status": "arrived", "arrived_at": iso_micros(arrived)}
        depot.update(arrived, "transports", number, row)

    def _hand_over(self, item: Item, at: int, before: str, after: str) -> None:
        """Who hands something out or takes it back scans it, now and then more than once."""
        depot, chance = self.depot, self.chance
        worker = chance.pick(depot.workers)
        at -= chance.integer(1, 25) * MINUTE
        if chance.hit(0.08):
            reason = chance.pick(REASONS)
            now = "damaged" if reason == "damaged" else before
            self._scan("scan.exception", at, worker, item, before, now, reason)
            before, at = now, at + 3 * MINUTE
        self._scan("scan.completed", at, worker, item, before, after, None)
        if chance.hit(0.1):
            self._scan("scan.completed", at + MINUTE, worker, item, after, after, None)

    def _scan(
        self,
        name: str,
        at: int,
        worker: Any,
        item: Item,
        before: str,
        after: str,
        reason: str | None,
    ) -> None:
        told: dict[str, Any] = {
            "equipmentId": item.number,
            "statusBefore": before,
            "statusAfter": after.upper() if self.chance.hit(0.2) else after,
        }
        if reason is not None and self.chance.hit(0.9):
            told["reason"] = reason
        event = self.depot.tell(name, at, worker, "scanning", **told)
        if event is not None:
            scan = Scan(self.depot.tenant, event, name == "scan.exception", before != after)
            self.depot.happened.scans.append(scan)

    def _maintain(self, item: Item) -> None:
        """Windows of some hours; two may overlap, and one that was a mistake is deleted."""
        depot, chance = self.depot, self.chance
        at = max(item.acquired, depot.opened) + int(chance.between(2, 30) * DAY)
        while at < depot.world.limit:
            for _ in range(2 if chance.hit(0.1) else 1):
                begins = at + chance.integer(0, 3) * HOUR
                self._maintenance(chance, item, begins, begins + chance.integer(2, 30) * HOUR)
            at += int(chance.between(18, 45) * DAY)

    def _maintenance(self, chance: Chance, item: Item, begins: int, ends: int) -> None:
        depot, number = self.depot, self.depot.new_id("maintenance")
        noted = begins - chance.integer(1, 12) * HOUR
        row: dict[str, Any] = {
            "equipment_id": item.number,
            "kind": chance.pick(("inspection", "repair", "cleaning")),
            "starts_at": iso_micros(begins),
            "ends_at": iso_micros(ends),
        }
        if not depot.insert(noted, "maintenance_windows", number, row):
            return
        key = {"organization_id": depot.tenant, "id": number}
        if chance.hit(0.04) and depot.delete(
            noted + 20 * MINUTE, "maintenance_windows", number, {**key, **row}
        ):
            return
        item.maintenance.append((begins, ends))
