"""What contributors do in the application beside their work: visits, pages, messages, and how fast it is."""

from __future__ import annotations

from datetime import timedelta

from simulator.products.projectflo.office import Office
from simulator.products.projectflo.people import People
from simulator.timeline import HOUR, MINUTE

PAGES = ("board", "timesheet", "project", "calendar", "quotes")


class Usage:
    """One or two visits of everybody who is there on a working day."""

    def __init__(self, office: Office, people: People) -> None:
        self.office, self.people = office, people
        self.chance = office.chance("usage")

    def day(self) -> None:
        office, chance = self.office, self.chance
        if office.today.weekday() < 5:
            for person in self.people.all:
                if office.today not in person.worker.away and chance.hit(0.8):
                    self._visit(person.user_id, office.now + int(chance.between(0.5, 8) * HOUR))
            asked = office.now + int(chance.between(1, 6) * HOUR)
            writer, thread = chance.pick(self.people.all).user_id, office.count("thread")
            office.tell("message_received", writer, asked, thread_id=thread)
            answered = asked + int(chance.between(5, 240) * MINUTE)
            office.tell("message_answered", writer, answered, thread_id=thread)
        office.when(office.at(office.today + timedelta(days=1), 8.0), self.day)

    def _visit(self, user: str, at: int) -> None:
        office, chance = self.office, self.chance
        session = chance.uuid()
        office.tell("session_started", user, at, session)
        for _ in range(chance.integer(1, 3)):
            at += int(chance.between(0.3, 6) * MINUTE)
            load = chance.integer(120, 1400)
            office.tell("page_viewed", user, at, session, load, page=chance.pick(PAGES))
        status = 500 if chance.hit(0.01) else 200
        duration = chance.integer(20, 900)
        office.tell("request_completed", user, at, session, duration_ms=duration, status=status)
        if status == 500:
            office.tell("error_encountered", user, at + 1000, session, status=status)
