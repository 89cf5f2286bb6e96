"""How a studio's productions come about: leads, clients, quotes that are sent, accepted, declined, forgotten."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import partial

from simulator.catalogue import FIRST_NAMES, LAST_NAMES
from simulator.products.projectflo.catalogue import CHANNELS, DELIVERABLES
from simulator.products.projectflo.office import Office
from simulator.products.projectflo.production import Production
from simulator.sources.debezium import decimal
from simulator.timeline import iso_micros
from simulator.truth.projects.happened import Lead, Quote


class Sales:
    """Leads by the rhythm of the week and the season; clients of old come back."""

    def __init__(self, office: Office, production: Production, producer: str) -> None:
        self.office, self.production, self.producer = office, production, producer
        self.chance = office.chance("sales")
        self.clients: list[int] = []

    def open(self) -> None:
        office = self.office
        day = office.days.day(office.world.window.start) + timedelta(days=1)
        for place in range(3):
            client = self._client()
            self.clients.append(client)
            moment = office.at(day + timedelta(days=2 * place), 9.75)
            office.when(moment, partial(self._quote, client, None))
        office.when(office.at(day, 9.0), self._morning)

    def _morning(self) -> None:
        """Leads and repeat orders of the day: spring and autumn are busy, weekends quiet."""
        office, chance = self.office, self.chance
        season = 1 + 0.35 * math.cos(4 * math.pi * (office.today.timetuple().tm_yday - 100) / 365)
        size = office.studio.tenant.size * max(0.8, min(office.world.scale, 3))
        busy = 0.016 * size * season * (0.2 if office.today.weekday() >= 5 else 1.2)
        if chance.hit(busy * 1.6):
            office.when(office.now + int(chance.between(0.1, 7) * 3_600_000), self._lead)
        if chance.hit(busy):
            client = chance.pick(self.clients)
            office.when(
                office.now + int(chance.between(0.1, 7) * 3_600_000),
                lambda: self._quote(client, None),
            )
        office.when(office.at(office.today + timedelta(days=1), 9.0), self._morning)

    def _client(self) -> int:
        office, chance = self.office, self.chance
        name = f"{chance.pick(LAST_NAMES)} {chance.pick(('Foods', 'Energy', 'Mobility', 'Care'))}"
        number = office.count("client_mail")
        return office.put(
            "clients", name=name, email=f"client{number}@example.org",
            phone=f"+000{chance.integer(10**7, 10**8 - 1)}", country_code=office.studio.tenant.country,
            industry=chance.pick(("food", "energy", "mobility", "care")), status="active",
            is_consented=chance.hit(0.9), created_at=iso_micros(office.now),
        )  # fmt: skip

    def _lead(self) -> None:
        office, chance = self.office, self.chance
        name = f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}"
        number = office.put(
            "leads", full_name=name, email=f"lead{office.count('lead_mail')}@example.org",
            channel=chance.pick(CHANNELS), status="new", client_id=None,
            created_at=iso_micros(office.now), converted_at=None, lost_reason=None,
        )  # fmt: skip
        lead = Lead(office.tenant, office.today)
        office.happened.leads.append(lead)
        office.tell("lead_created", self.producer, lead_id=number)
        if chance.hit(0.5):
            office.later(chance.integer(1, 9), 10.5, lambda: self._win(number, lead))
        elif chance.hit(0.5):
            office.later(chance.integer(5, 30), 16.0, lambda: self._lose(number))

    def _win(self, number: int, lead: Lead) -> None:
        office = self.office
        client = self._client()
        self.clients.append(client)
        office.change(
            "leads",
            number,
            status="converted",
            client_id=client,
            converted_at=iso_micros(office.now),
        )
        lead.has_become_client = True
        office.tell("lead_converted", self.producer, lead_id=number)
        office.when(office.now + 3_600_000, lambda: self._quote(client, number))

    def _lose(self, number: int) -> None:
        self.office.change("leads", number, status="lost", lost_reason="went elsewhere")
        self.office.tell("lead_lost", self.producer, lead_id=number)

    def _quote(self, client: int, lead: int | None) -> None:
        office, chance = self.office, self.chance
        kinds = [chance.pick(list(DELIVERABLES)) for _ in range(chance.integer(1, 3))]
        hours = sum(DELIVERABLES[kind][0] for kind in kinds)
        amount = office.money(hours * office.studio.hour * chance.between(1.5, 2.4))
        number = office.put(
            "quotes", client_id=client, lead_id=lead, project_id=None, stage="draft",
            amount=decimal(amount), currency=office.studio.tenant.currency.upper(),
            created_at=iso_micros(office.now), sent_at=None, accepted_at=None, declined_at=None,
        )  # fmt: skip
        quote = Quote(office.tenant, amount, [(office.today, "draft")])
        office.happened.quotes.append(quote)
        office.later(1, 11.5, lambda: self._send(number, quote, client, kinds))

    def _stage(self, number: int, quote: Quote, stage: str, **news: object) -> None:
        quote.stages.append((self.office.today, stage))
        self.office.change("quotes", number, stage=stage, **news)

    def _send(self, number: int, quote: Quote, client: int, kinds: list[str]) -> None:
        office, chance = self.office, self.chance
        quote.sent = office.today
        self._stage(number, quote, "sent", sent_at=iso_micros(office.now))
        office.tell("quote_sent", self.producer, quote_id=number)
        draw, days = chance.uniform(), chance.integer(3, 12)
        if draw < 0.3:
            office.later(days, 15.0, lambda: self._stage(number, quote, "negotiation"))
            days += chance.integer(2, 20)
        if draw < 0.65:
            office.later(days, 15.5, lambda: self._accept(number, quote, client, kinds))
        elif draw < 0.9:
            office.later(days, 15.5, lambda: self._decline(number, quote))

    def _accept(self, number: int, quote: Quote, client: int, kinds: list[str]) -> None:
        office = self.office
        quote.is_accepted = True
        project = self.production.plan(client, number, quote.amount, kinds)
        self._stage(
            number, quote, "accepted", accepted_at=iso_micros(office.now), project_id=project
        )
        office.tell("quote_accepted", self.producer, quote_id=number)

    def _decline(self, number: int, quote: Quote) -> None:
        self._stage(number, quote, "declined", declined_at=iso_micros(self.office.now))
        self.office.tell("quote_declined", self.producer, quote_id=number)
