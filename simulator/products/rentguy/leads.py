"""Who may become a customer: forms of the marketing sites, the CRM's table, the CRM's export.

A person may be told of twice, through another channel and in another system; what joins them is the
e-mail address, in whatever case it is written.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from simulator.files import Folder, Plant
from simulator.products.rentguy.catalogue import CHANNELS, NAME
from simulator.products.rentguy.depot import Depot
from simulator.timeline import DAY, HOUR, MINUTE, iso, iso_micros
from simulator.truth.rental.happened import Lead

FORM = ("form_id", "submitted_at", "exported_at", "company", "channel", "country", "name", "email",
        "phone", "message")  # fmt: skip
CHANGE = ("change_id", "changed_at", "exported_at", "company", "stage", "channel", "email", "phone",
          "owner")  # fmt: skip


def csv_line(values: tuple[Any, ...], delimiter: str) -> bytes:
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator="").writerow(values)
    return sink.getvalue().encode()


class Leads:
    """The leads of one company, day after day."""

    def __init__(self, depot: Depot, forms: Folder, changes: Folder) -> None:
        self.depot, self.forms, self.changes = depot, forms, changes
        self.created: dict[int, str] = {}  # by number of the CRM's rows
        self.chance = depot.world.chance(NAME, depot.tenant, "leads")

    def run(self) -> None:
        depot, chance = self.depot, self.chance
        a_day = max(0.3, depot.company.leads_a_day * min(depot.world.scale, 5))
        for index, midnight in depot.open_days():
            for _ in range(depot.many(chance, a_day * depot.busy(midnight))):
                self._live(depot.clock(index, chance.between(0.1, 22.9)))

    def _live(self, at: int) -> None:
        depot, chance = self.depot, self.chance
        number = depot.new_id("person")
        email = f"lead{number}.{depot.tenant}@example.org"
        first = chance.pick(list(CHANNELS))
        is_form = chance.hit(0.45)
        row_number = None if is_form else self._row(at, email, first)
        if is_form and not self._form(at, email, first):
            return
        if at >= depot.world.limit:
            return
        lead = Lead(depot.tenant, at, CHANNELS[first])
        depot.happened.leads.append(lead)
        if chance.hit(0.1):  # once more, by another way
            later, second = at + int(chance.between(0.1, 9) * DAY), chance.pick(list(CHANNELS))
            if chance.hit(0.5):
                is_told = self._form(later, email.title(), second)
            else:
                is_told = self._row(later, email.upper(), second) is not None
            if is_told and not first and second:
                lead.channel = CHANNELS[second]
        if not chance.hit(0.5):
            if chance.hit(0.3):
                self._change(at + int(chance.between(1, 9) * DAY), email, "lost")
            return
        qualified = at + int(chance.between(0.1, 6) * DAY)
        if self._qualify(qualified, email, first, row_number):
            lead.qualified = qualified
        if not chance.hit(0.4):
            return
        won = qualified + int(chance.between(1, 25) * DAY)
        linked = row_number if chance.hit(0.5) else None
        depot.register(won, linked, email)
        if won < depot.world.limit:
            lead.won = won

    def _qualify(self, at: int, email: str, channel: str, row_number: int | None) -> bool:
        if row_number is None:
            self._change(at - 2 * HOUR, email, "contacted")
            return self._change(at, email, "Qualified")
        row = self._lead_row(at, email, channel) | {
            "created_at": self.created[row_number],
            "qualified_at": iso_micros(at),
        }
        return self.depot.update(at, "leads", row_number, row)

    def _lead_row(self, at: int, email: str, channel: str) -> dict[str, Any]:
        return {
            "channel": channel or None,
            "email": email,
            "phone": None,
            "full_name": "Some One",
            "customer_id": None,
            "created_at": iso_micros(at),
            "qualified_at": None,
            "message": "When can we have it?",
        }

    def _row(self, at: int, email: str, channel: str) -> int | None:
        """A lead in the CRM's own table."""
        number = self.depot.new_id("lead")
        self.created[number] = iso_micros(at)
        row = self._lead_row(at, email, channel)
        return number if self.depot.insert(at, "leads", number, row) else None

    def _form(self, at: int, email: str, channel: str) -> bool:
        """A line of the sites' export, some minutes after the form was sent."""
        depot, chance = self.depot, self.chance
        exported = at + chance.integer(10, 90) * MINUTE
        if exported >= depot.world.limit:
            return False
        line = csv_line(
            (
                depot.new_id("form"), iso(at), iso(exported), depot.tenant, channel,
                depot.company.tenant.country, 'Jansen; "the" One', email, "", "Hello; when?",
            ),
            ";",
        )  # fmt: skip
        self.forms.add(exported, line)
        if chance.hit(0.05):
            again = min(exported + 2 * DAY, depot.world.limit)
            self.forms.add(again, line, Plant("duplicate", "ignored_as_duplicate"))
        if chance.hit(0.02):
            cut = line[: line.index(b";", 12)]
            self.forms.add(exported, cut, Plant("truncated_row", "rejected"))
        return True

    def _change(self, at: int, email: str, stage: str) -> bool:
        """A line of the CRM's export."""
        depot, chance = self.depot, self.chance
        exported = at + chance.integer(10, 90) * MINUTE
        if exported >= depot.world.limit:
            return False
        line = csv_line(
            (
                depot.new_id("change"), iso(at), iso(exported), depot.tenant, stage, "", email, "",
                "Seller, One",
            ),
            ",",
        )  # fmt: skip
        self.changes.add(exported, line)
        return True
