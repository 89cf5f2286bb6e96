"""RostraCore's companies: schedulers, guards, sites and certificates, and their rows.

A guard has a home, skills and a wage; a site has a place, a needed skill and a hidden difficulty.
Who works when is decided in `shifts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.catalogue import FIRST_NAMES, LAST_NAMES, Tenant
from simulator.chance import Chance
from simulator.products.rostracore.catalogue import SKILLS
from simulator.sources.debezium import ChangeLog, decimal
from simulator.sources.events import Device
from simulator.timeline import DAY, HOUR, LocalDays, Window, epoch_day, iso_micros, local_days
from simulator.truth.workforce.happened import Employment, Happened

PLACES = {
    "Gauteng": (-26.2, 28.05),
    "Western Cape": (-33.95, 18.5),
    "KwaZulu-Natal": (-29.85, 31.0),
    "Utrecht": (52.09, 5.11),
    "London": (51.5, -0.12),
    "Riyadh": (24.7, 46.7),
    "New York": (40.73, -73.95),
    "Tokyo": (35.68, 139.7),
}
WAGES = {"usd": 1700, "eur": 1500, "zar": 5200, "gbp": 1250, "jpy": 130000}


@dataclass
class Guard:
    employee_id: int
    skills: tuple[str, ...]
    wage: int
    home: tuple[float, float]
    willing: float
    hired: int
    gone: int | None = None


@dataclass
class Site:
    site_id: int
    name: str
    skill: str
    rarity: float
    place: tuple[float, float]
    appeal: float
    demand: float
    nights: float
    opened: int


@dataclass
class Scheduler:
    user_id: int
    role: str
    devices: list[Device]
    busy: float
    anonymous_id: str | None = None


@dataclass
class Company:
    """One RostraCore tenant with everything it owns."""

    tenant: Tenant
    days: LocalDays
    joined: int
    guards: list[Guard] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    schedulers: list[Scheduler] = field(default_factory=list)
    left: int | None = None
    upgraded: int | None = None

    def available(self, skill: str, at: int) -> list[Guard]:
        return [
            g
            for g in self.guards
            if skill in g.skills and g.hired <= at and (g.gone is None or at < g.gone)
        ]


class Founder:
    """Creates companies and writes their standing rows."""

    def __init__(
        self,
        window: Window,
        limit: int,
        log: ChangeLog,
        seed: int,
        scale: float,
        noted: Happened,
    ) -> None:
        self.window, self.limit, self.log, self.seed, self.scale = window, limit, log, seed, scale
        self.noted = noted
        self.next = {"user": 100, "employee": 1000, "site": 10, "certification": 1}

    def _id(self, kind: str) -> int:
        self.next[kind] += 1
        return self.next[kind]

    def found(self, tenant: Tenant) -> Company:
        chance = Chance(self.seed, "rostracore", "company", tenant.source_id)
        days = local_days(tenant.timezone, self.window)
        index = days.index(self.window.start + tenant.joined(self.window.days) * DAY)
        joined = int(days.midnights[index]) + int(chance.between(8, 11) * HOUR)
        company = Company(tenant, days, joined)
        self._organization(company)
        for number in range(max(3, round(9 * min(1.0, self.scale + 0.3)))):
            self._scheduler(company, chance, number)
        for number in range(max(2, round(tenant.size / 9 * self.scale))):
            self._site(company, chance, number)
        for _ in range(max(6, round(tenant.size * self.scale))):
            self._guard(company, chance)
        return company

    def _organization(self, company: Company) -> None:
        tenant = company.tenant
        row = {
            "name": tenant.name,
            "region": tenant.region,
            "country_code": tenant.country,
            "timezone": tenant.timezone,
            "currency": tenant.currency,
            "industry": tenant.industry,
            "plan": tenant.plan,
            "size_band": "large"
            if tenant.size >= 80
            else "medium"
            if tenant.size >= 50
            else "small",
            "created_at": iso_micros(company.joined),
        }
        self.log.insert(company.joined, "organizations", {"org_id": int(tenant.source_id)}, row)

    def _scheduler(self, company: Company, chance: Chance, number: int) -> None:
        person = Scheduler(
            self._id("user"),
            ("owner", "admin", "scheduler", "scheduler")[min(number, 3)],
            [Device.some(chance, 0.15), Device.some(chance, 0.6)],
            chance.between(0.25, 0.95),
        )
        company.schedulers.append(person)
        name = f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}"
        row = {
            "org_id": int(company.tenant.source_id),
            "email": f"scheduler{person.user_id}@example.org",
            "full_name": name,
            "role": person.role,
            "is_consented": chance.hit(0.95),
            "created_at": iso_micros(company.joined + number * HOUR),
        }
        key = {"user_id": person.user_id}
        self.log.insert(company.joined + number * HOUR, "users", key, dict(row))
        mind = Chance(self.seed, "rostracore", "consent", person.user_id)
        if mind.hit(0.05):  # withdraws, or gives it after all
            begun = max(company.joined, self.window.start)
            at = begun + int(mind.between(0.2, 0.9) * (self.window.end - begun))
            self.log.update(at, "users", key, row | {"is_consented": not row["is_consented"]})

    def _site(self, company: Company, chance: Chance, number: int) -> None:
        skill, rarity = SKILLS[min(3, int(chance.uniform() ** 1.6 * 4))]
        lat, lon = PLACES[company.tenant.region]
        site = Site(
            self._id("site"),
            f"{company.tenant.region} post {number + 1}",
            skill,
            rarity,
            (round(lat + 0.12 * chance.bell(), 6), round(lon + 0.12 * chance.bell(), 6)),
            0.75 * chance.bell(),
            chance.between(0.6, 1.5),
            chance.between(0.15, 0.6),
            company.joined + (number + 1) * HOUR,
        )
        company.sites.append(site)
        row = {
            "org_id": int(company.tenant.source_id),
            "name": site.name,
            "region": company.tenant.region,
            "latitude": site.place[0],
            "longitude": site.place[1],
            "required_skill": skill,
            "created_at": iso_micros(site.opened),
        }
        self.log.insert(site.opened, "sites", {"site_id": site.site_id}, row)

    def _guard(self, company: Company, chance: Chance) -> None:
        lat, lon = PLACES[company.tenant.region]
        skills = tuple(
            name
            for n, (name, _) in enumerate(SKILLS)
            if n == 0 or chance.hit((1, 0.7, 0.3, 0.2)[n])
        )
        at = company.joined + 2 * DAY if company.joined >= self.window.start else company.joined
        hired = at - int(chance.between(0, 300) * DAY)
        if chance.hit(0.22) and company.joined < self.window.start:
            hired = int(chance.between(self.window.start, self.window.end))
        base = WAGES[company.tenant.currency] if company.tenant.currency != "jpy" else 130000
        guard = Guard(
            self._id("employee"),
            skills,
            round(base * chance.between(0.85, 1.5)),
            (round(lat + 0.15 * chance.bell(), 6), round(lon + 0.15 * chance.bell(), 6)),
            0.6 * chance.bell(),
            hired,
        )
        distance = sum(abs(guard.home[i] - (lat, lon)[i]) for i in (0, 1))
        if chance.hit(0.08 + 0.35 * min(0.6, distance) + (0.08 if guard.willing < -0.5 else 0.0)):
            guard.gone = max(hired, self.window.start) + int(chance.between(15, 170) * DAY)
            if guard.gone >= self.limit:
                guard.gone = None
        company.guards.append(guard)
        self._guard_rows(company, guard, chance)

    def _guard_rows(self, company: Company, guard: Guard, chance: Chance) -> None:
        org = int(company.tenant.source_id)
        name = f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}"
        row: dict[str, Any] = {
            "org_id": org,
            "full_name": name,
            "id_number": f"{chance.integer(10**12, 10**13 - 1)}",
            "phone": f"+000{chance.integer(10**7, 10**8 - 1)}",
            "home_latitude": guard.home[0],
            "home_longitude": guard.home[1],
            "hourly_rate": decimal(guard.wage),
            "status": "active",
            "hired_on": epoch_day(company.days.day(guard.hired)),
            "terminated_on": None,
        }
        key = {"employee_id": guard.employee_id}
        seen = max(guard.hired, company.joined + 3 * HOUR)
        self.log.insert(seen, "employees", key, dict(row))
        is_leaving = guard.gone is not None and guard.gone > seen
        if seen < self.limit:
            self.noted.employments.append(
                Employment(
                    company.tenant.source_id,
                    guard.employee_id,
                    company.days.day(guard.hired),
                    company.days.day(guard.gone) if guard.gone and is_leaving else None,
                    guard.wage,
                )
            )
        if guard.gone is not None and is_leaving:
            row |= {
                "status": "terminated",
                "terminated_on": epoch_day(company.days.day(guard.gone)),
            }
            self.log.update(guard.gone, "employees", key, dict(row))
        for kind in (
            "psira",
            "first_aid",
            *(("firearm",) if "armed_response" in guard.skills else ()),
        ):
            issued = epoch_day(company.days.day(guard.hired)) - chance.integer(0, 200)
            for issue in (issued, issued + 365):
                at = max(issue * DAY + 9 * HOUR, seen + HOUR)
                if issue != issued and not chance.hit(0.8):
                    break
                certificate = {
                    "org_id": org,
                    "employee_id": guard.employee_id,
                    "kind": kind,
                    "issued_on": issue,
                    "expires_on": issue + 365,
                }
                self.log.insert(
                    at,
                    "certifications",
                    {"certification_id": self._id("certification")},
                    certificate,
                )
