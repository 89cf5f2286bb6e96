"""From the accepted quote to the accepted film: tasks, hours, costs, moved dates, revisions, surveys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from simulator.products.projectflo.billing import Billing
from simulator.products.projectflo.catalogue import (
    DELIVERABLES,
    REVISION_REASONS,
    THEMES,
    WORK,
)
from simulator.products.projectflo.office import Office, day_number
from simulator.products.projectflo.people import Contributor, People
from simulator.sources.debezium import decimal
from simulator.timeline import iso_micros
from simulator.truth.customers.happened import Answer
from simulator.truth.projects.happened import Deliverable, Entry, Project


@dataclass
class Task:
    """What is left of a task; it ends when nothing is."""

    number: int
    project: Project
    deliverable: Deliverable
    left: int


@dataclass
class Production:
    """The productions of one studio, and who works on what."""

    office: Office
    people: People
    billing: Billing
    producer: str
    tasks: dict[int, list[Task]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = self.office.chance("production")
        self.later = self.office.later

    # --- planning -------------------------------------------------------------------------------
    def plan(self, client: int, quote: int, amount: int, kinds: list[str]) -> int:
        """A project of an accepted quote, as of now; returns its number."""
        office, chance = self.office, self.chance
        start = office.today + timedelta(days=chance.integer(2, 5))
        days = 12 + 9 * len(kinds)
        hours = sum(DELIVERABLES[kind][0] for kind in kinds) * 100
        due = start + timedelta(days=days)
        number = office.put(
            "projects", client_id=client, quote_id=quote, title=f"Production {quote}",
            status="planned", quoted_amount=decimal(amount),
            currency=office.studio.tenant.currency.upper(), estimated_hours=decimal(hours),
            starts_on=day_number(start), due_on=day_number(due), delivered_on=None,
            created_at=iso_micros(office.now),
        )  # fmt: skip
        project = Project(office.tenant, number, client, hours, start, [(due, office.today)])
        office.happened.projects.append(project)
        office.tell("project_created", self.producer, project_id=number, due_on=due.isoformat())
        is_quoted_apart = chance.hit(0.7)
        for place, kind in enumerate(kinds):
            share = DELIVERABLES[kind][0] * 100 / hours
            part = office.money(amount * share) if is_quoted_apart else None
            due = start + timedelta(days=days * (place + 1) // len(kinds))
            self._deliverable(project, kind, part, due)
        self.later((start - office.today).days, 9.0, lambda: self._begin(project, amount))
        return number

    def _deliverable(self, project: Project, kind: str, quoted: int | None, due: date) -> None:
        office, chance = self.office, self.chance
        number = office.put(
            "deliverables", project_id=project.number, title=f"{kind} {project.number}",
            deliverable_type=kind, status="planned",
            quoted_amount=None if quoted is None else decimal(quoted), due_on=day_number(due),
            delivered_on=None, accepted_on=None, created_at=iso_micros(office.now),
        )  # fmt: skip
        deliverable = Deliverable(number, kind, quoted, [(due, office.today)])
        project.deliverables.append(deliverable)
        if chance.hit(0.3):  # the client asks for another date, long before or at the last moment
            before = chance.pick((14, 9, 3, 1))
            wait = (due - office.today).days - before
            if wait > 0:
                moment = office.at(due - timedelta(days=before), 9.25)
                office.when(moment, lambda: self._move(deliverable, chance.integer(3, 10)))

    def _move(self, deliverable: Deliverable, days: int) -> None:
        if deliverable.delivered is None:
            due = deliverable.due[-1][0] + timedelta(days=days)
            deliverable.due.append((due, self.office.today))
            self.office.change("deliverables", deliverable.number, due_on=day_number(due))

    # --- work -----------------------------------------------------------------------------------
    def _begin(self, project: Project, amount: int) -> None:
        office, chance = self.office, self.chance
        office.change("projects", project.number, status="active")
        self.billing.invoice(project, office.money(amount * 0.4))
        self.people.book_equipment(project.number, office.today)
        for deliverable in project.deliverables:
            base = DELIVERABLES[deliverable.kind][0] * 100
            slow = chance.between(0.8, 1.15) if chance.hit(office.studio.punctual) else 1.5
            for work, (skill, share) in WORK.items():
                planned = round(base * share / 50) * 50
                self._task(
                    project, deliverable, work, skill, planned, round(planned * slow / 25) * 25
                )
        if chance.hit(0.4):
            self.later(chance.integer(2, 9), 11.25, lambda: self._change_scope(project))
        self.later(1, 16.5, lambda: self._spend(project))
        self.later((project.due[0][0] - office.today).days, 18.0, lambda: self._look_again(project))

    def _task(
        self, project: Project, deliverable: Deliverable, work: str, skill: str, planned: int,
        needed: int,
    ) -> None:  # fmt: skip
        office = self.office
        who = min(self.people.with_skill(skill), key=lambda p: (len(self._of(p)), p.number))
        number = office.put(
            "tasks", project_id=project.number, deliverable_id=deliverable.number,
            contributor_id=who.number, task_type=work, skill=skill, status="open",
            estimated_hours=decimal(planned), due_on=day_number(deliverable.due[-1][0]),
            finished_on=None, created_at=iso_micros(office.now),
        )  # fmt: skip
        self._of(who).append(Task(number, project, deliverable, max(25, needed)))

    def _of(self, person: Contributor) -> list[Task]:
        return self.tasks.setdefault(person.number, [])

    def work_day(self) -> None:
        """At the end of a day everybody who was there writes down the hours; weekends are free."""
        office = self.office
        if office.today.weekday() < 5:
            for person in self.people.all:
                if office.today not in person.worker.away:
                    self._work(person)
        office.when(office.at(office.today + timedelta(days=1), 17.0), self.work_day)

    def _work(self, person: Contributor) -> None:
        office, chance = self.office, self.chance
        rest = round(person.worker.capacity / 5 * chance.between(0.8, 1.1) / 25) * 25
        for task in list(self._of(person))[:2]:
            hours = min(rest, task.left)
            if hours <= 0:
                break
            rest -= hours
            task.left -= hours
            shared = chance.hit(0.08)  # meetings are written on the project as a whole
            self._enter(person, hours, task.project, None if shared else task)
            if task.left <= 0:
                self._of(person).remove(task)
                office.change(
                    "tasks", task.number, status="done", finished_on=day_number(office.today)
                )
                office.tell("task_completed", person.user_id, task_id=task.number)
                self._finish(task)
        if chance.hit(0.1):
            self._enter(person, 100, None, None)

    def _enter(
        self, person: Contributor, hours: int, project: Project | None, task: Task | None
    ) -> None:
        office = self.office
        number = office.put(
            "time_entries", contributor_id=person.number,
            project_id=None if project is None else project.number,
            task_id=None if task is None else task.number, worked_on=day_number(office.today),
            hours=decimal(hours), note="as planned", created_at=iso_micros(office.now),
        )  # fmt: skip
        if self.chance.hit(0.01):  # a slip of the pen, taken back at once
            office.delete("time_entries", number)
            return
        person.worker.worked.append((office.today, hours))
        if project is not None:
            deliverable = None if task is None else task.deliverable.number
            project.entries.append(
                Entry(person.number, office.today, hours, person.rate, deliverable)
            )
        office.tell("time_logged", person.user_id, hours=hours / 100)

    def _spend(self, project: Project) -> None:
        """Equipment and overhead; some of it for one deliverable alone."""
        office, chance = self.office, self.chance
        for kind in ("equipment", "overhead"):
            amount = office.money(office.studio.hour * chance.between(1.5, 6))
            one = chance.pick(project.deliverables).number if chance.hit(0.5) else None
            office.put(
                "resource_costs", project_id=project.number, deliverable_id=one, cost_type=kind,
                amount=decimal(amount), currency=office.studio.tenant.currency.upper(),
                incurred_on=day_number(office.today),
            )  # fmt: skip
            project.costs.append((office.today, amount, one))

    def _change_scope(self, project: Project) -> None:
        office, chance = self.office, self.chance
        status = "rejected" if chance.hit(0.2) else "approved"
        amount = office.money(office.studio.hour * 6)
        office.put(
            "scope_changes", project_id=project.number, status=status, description="one more cut",
            amount=decimal(amount), requested_at=iso_micros(office.now),
        )  # fmt: skip
        office.tell("scope_changed", self.producer, project_id=project.number)
        if status == "approved":
            project.scope_changes += 1
            last = project.deliverables[-1]
            if last.delivered is None:
                self._task(project, last, "editing", "editing", 600, 650)

    # --- delivery -------------------------------------------------------------------------------
    def _finish(self, done: Task) -> None:
        """The last task of a deliverable delivers it."""
        deliverable = done.deliverable
        if deliverable.delivered is not None or any(
            task.deliverable is deliverable for tasks in self.tasks.values() for task in tasks
        ):
            return
        office = self.office
        deliverable.delivered = office.today
        office.change(
            "deliverables", deliverable.number, status="delivered",
            delivered_on=day_number(office.today),
        )  # fmt: skip
        office.tell(
            "deliverable_submitted", self.producer, deliverable_id=deliverable.number,
            deliverable_type=deliverable.kind,
        )  # fmt: skip
        self.later(2, 10.0, lambda: self._judge(done.project, deliverable))

    def _judge(self, project: Project, deliverable: Deliverable) -> None:
        office, chance = self.office, self.chance
        if chance.hit(0.45) and deliverable.rounds < 4:
            office.put(
                "revisions", project_id=project.number, deliverable_id=deliverable.number,
                reason=chance.pick(REVISION_REASONS), comment="a little faster, please",
                requested_at=iso_micros(office.now),
            )  # fmt: skip
            deliverable.rounds += 1
            office.tell(
                "revision_requested", self.producer, deliverable_id=deliverable.number,
                revision_number=deliverable.rounds,
            )  # fmt: skip
            self.later(chance.integer(1, 4), 15.0, lambda: self._judge(project, deliverable))
            return
        deliverable.accepted = office.today
        office.change(
            "deliverables",
            deliverable.number,
            status="accepted",
            accepted_on=day_number(office.today),
        )
        scores = [chance.integer(5500, 10000) for _ in range(4)]
        office.put(
            "quality_assessments", project_id=project.number, deliverable_id=deliverable.number,
            technical_score=decimal(scores[0]), creative_score=decimal(scores[1]),
            timeliness_score=decimal(scores[2]),
            communication_score=None if chance.hit(0.2) else decimal(scores[3]),
            assessed_at=iso_micros(office.now),
        )  # fmt: skip
        if all(part.accepted is not None for part in project.deliverables):
            self._deliver(project)

    def _look_again(self, project: Project) -> None:
        """A project that is late on its day gets another date, too late to count."""
        if project.delivered is None and self.chance.hit(0.5):
            due = project.due[-1][0] + timedelta(days=14)
            project.due.append((due, self.office.today))
            self.office.change("projects", project.number, due_on=day_number(due))

    def _deliver(self, project: Project) -> None:
        office, chance = self.office, self.chance
        project.delivered = office.today
        office.change(
            "projects", project.number, status="delivered", delivered_on=day_number(office.today)
        )
        office.tell("project_delivered", self.producer, project_id=project.number)
        billed = sum(net for _, net in project.invoices if net > 0)
        rest = billed * 1.5 + project.scope_changes * office.studio.hour * 6
        self.later(1, 10.25, lambda: self.billing.invoice(project, office.money(rest)))
        for kind, top, share in (("NPS", 10, 0.7), ("CSAT", 5, 0.7)):
            if chance.hit(share):
                self.later(chance.integer(1, 9), 14.5, partial(self._answer, project, kind, top))

    def _answer(self, project: Project, kind: str, top: int) -> None:
        office, chance = self.office, self.chance
        score = min(top, round(top * (0.4 + 0.65 * chance.uniform())))
        office.put(
            "surveys", project_id=project.number, client_id=project.client,
            respondent_email=f"client{project.client}@example.org", survey_type=kind,
            score=decimal(score * 100), feedback="we liked most of it",
            themes=f'["{chance.pick(THEMES)}"]' if score < top else None,
            answered_at=iso_micros(office.now),
        )  # fmt: skip
        client = str(project.client)
        office.happened.answers.append(Answer(office.tenant, client, kind, score, office.now))
