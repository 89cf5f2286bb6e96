"""The contributors of a studio: who works there, what they can, when they are away, what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from simulator.catalogue import FIRST_NAMES, LAST_NAMES
from simulator.products.projectflo.catalogue import EQUIPMENT, ROLES, SKILLS, SOFTWARE
from simulator.products.projectflo.office import Office, day_number
from simulator.sources.debezium import decimal
from simulator.timeline import DAY, iso_micros
from simulator.truth.projects.happened import Worker


@dataclass
class Contributor:
    number: int
    user_id: str
    skills: tuple[str, ...]
    rate: int
    worker: Worker


class People:
    """Everybody of a studio, and what belongs to their places of work."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.chance = office.chance("people")
        self.all: list[Contributor] = []

    def gather(self) -> None:
        """Who is there when the window begins; their rows lie in the connector's snapshot."""
        office, chance = self.office, self.chance
        office.now = office.world.window.start - DAY
        tenant = office.studio.tenant
        office.log.insert(
            office.now,
            "organizations",
            {"id": tenant.source_id},
            {
                "name": tenant.name,
                "country_code": tenant.country,
                "region": tenant.region,
                "timezone": tenant.timezone,
                "currency": tenant.currency,
                "industry": tenant.industry,
                "plan": tenant.plan,
                "size_band": "small",
                "created_at": iso_micros(office.now - 200 * DAY),
            },
        )
        count = max(3, round(tenant.size * min(office.world.scale, 3)))
        for place in range(count):
            self._hire(place)
        for software in SOFTWARE:
            for seat in range(count):
                user = self.all[seat].number if chance.hit(0.8) else None
                start = day_number(office.today)
                office.put(
                    "software_seats", software_id=software, contributor_id=user,
                    licensed_from=start, licensed_until=None,
                    used_from=start if user else None, used_until=None,
                )  # fmt: skip

    def _hire(self, place: int) -> None:
        office, chance = self.office, self.chance
        rate = office.money(office.studio.hour * chance.between(0.8, 1.4))
        capacity = chance.pick((4000, 4000, 3200))
        name = f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}"
        user_id = chance.uuid()
        number = office.put(
            "contributors", user_id=user_id, full_name=name,
            email=f"contributor{place + 1}@example.org", role=ROLES[place % len(ROLES)],
            status="active", weekly_capacity_hours=decimal(capacity), hourly_cost=decimal(rate),
            cost_effective_on=None, hired_on=day_number(office.today - timedelta(days=300)),
            left_on=None,
        )  # fmt: skip
        skills = (SKILLS[place % len(SKILLS)], *((SKILLS[1],) if place % 3 == 2 else ()))
        for skill in skills:
            office.put("contributor_skills", contributor_id=number, skill=skill)
        worker = Worker(office.tenant, number, capacity)
        office.happened.workers.append(worker)
        person = Contributor(number, user_id, skills, rate, worker)
        self.all.append(person)
        window = office.world.window
        if chance.hit(0.5):
            at = office.at(_day(office, window.days * chance.between(0.3, 0.6)), 10.0)
            office.when(at, lambda: self._raise(person))
        for share in (0.25, 0.7):
            at = office.at(_day(office, window.days * (share + chance.between(0, 0.15))), 9.5)
            office.when(at, lambda: self._leave(person))

    def _raise(self, person: Contributor) -> None:
        """An hour costs more from today on."""
        person.rate = self.office.money(person.rate * 1.2)
        self.office.change("contributors", person.number, hourly_cost=decimal(person.rate))

    def _leave(self, person: Contributor) -> None:
        """A week off from next Monday, or two days; now and then it is taken back."""
        office, today = self.office, self.office.today
        monday = today + timedelta(days=7 - today.weekday())
        length = self.chance.pick((7, 7, 2))
        days = {monday + timedelta(days=n) for n in range(length)}
        number = office.put(
            "availability", contributor_id=person.number, kind="leave",
            starts_on=day_number(monday), ends_on=day_number(max(days)), hours_per_day=None,
        )  # fmt: skip
        if self.chance.hit(0.15):
            office.now += 60_000
            office.delete("availability", number)
        else:
            person.worker.away |= days

    def with_skill(self, skill: str) -> list[Contributor]:
        return [person for person in self.all if skill in person.skills] or self.all

    def book_equipment(self, project: int, first: date) -> None:
        """A day of shooting; sometimes two productions take the same camera, sometimes it is mended."""
        office, chance = self.office, self.chance
        item, start = chance.pick(EQUIPMENT), office.at(first, 8.0)
        office.put(
            "equipment_bookings", equipment_id=item, project_id=project, kind="booking",
            status="cancelled" if chance.hit(0.1) else "booked", starts_at=iso_micros(start),
            ends_at=iso_micros(start + chance.integer(4, 30) * 3_600_000),
        )  # fmt: skip
        if chance.hit(0.1):
            office.put(
                "equipment_bookings", equipment_id=item, project_id=None, kind="maintenance",
                status="booked", starts_at=iso_micros(start + 3 * DAY),
                ends_at=iso_micros(start + 3 * DAY + 6 * 3_600_000),
            )  # fmt: skip


def _day(office: Office, days: float) -> date:
    """A working day so many days into the window."""
    day = office.days.day(office.world.window.start) + timedelta(days=1 + int(days))
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day
