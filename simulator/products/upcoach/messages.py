"""What UpCoach sends to people unasked, nudges and notifications, and whether they answer."""

from __future__ import annotations

import math

from simulator.products.upcoach.catalogue import PERSONAS
from simulator.products.upcoach.walk import Walk
from simulator.timeline import DAY, HOUR, SECOND


class Messages:
    """Everything sent to one person."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.chance, self.person = walk, walk.chance, walk.person
        self.tables = walk.tables

    def send_nudges(self) -> list[tuple[int, int, str]]:
        chance, person = self.chance, self.person
        sent: list[tuple[int, int, str]] = []
        if person.role != "client":
            return sent
        at = max(person.signup, self.walk.window.start) + int(chance.between(1, 9) * DAY)
        while at < self.walk.alive_until:
            day = person.days.index(at)
            at = self.walk.moment(day, chance.between(8, 19))
            if at < self.walk.alive_until:
                persona = chance.pick(PERSONAS)
                sent.append((self.tables.nudge(person, at, persona), at, persona))
            at += int(chance.between(4, 12) * DAY)
        return sent

    def answer(self, nudge_id: int, at: int, persona: str) -> None:
        chance, person = self.chance, self.person
        awake = 1 / (1 + math.exp(-person.engaged(at, self.walk.window) - 1.4))
        if any(end <= at < again for end, again in person.churned_at):
            awake *= 0.1
        if not chance.hit(person.replies * awake):
            return
        moment = at + int(chance.between(0.02, 4) * HOUR)
        if moment < self.walk.alive_until:
            session = chance.uuid()
            name = "nudge_dismissed" if chance.hit(0.2) else "nudge_opened"
            self.walk.event(name, moment, {"nudge_id": nudge_id, "persona": persona}, session)
            self.walk.event("screen_viewed", moment + 9 * SECOND, {"screen": "home"}, session)

    def notify(self) -> None:
        """Reminders: sent and delivered by the service, opened by the person if they care."""
        chance, person, walk = self.chance, self.person, self.walk
        if person.role != "client" or not person.consented:
            return
        at = max(person.signup, walk.window.start) + int(chance.between(1, 30) * DAY)
        while at < walk.alive_until:
            at = walk.moment(person.days.index(at), chance.between(7.5, 20.5))
            what = {
                "notification_id": chance.integer(1, 10**9),
                "channel": chance.pick(("push", "email")),
            }
            walk.event("notification_sent", at, what, None)
            if chance.hit(0.94):
                walk.event("notification_delivered", at + 2 * SECOND, what, None)
                awake = 1 / (1 + math.exp(-person.engaged(at, walk.window) - 0.4))
                if any(end <= at < again for end, again in person.churned_at):
                    awake *= 0.1
                opened = at + int(chance.between(0.01, 5) * HOUR)
                if chance.hit(0.7 * awake):
                    session = chance.uuid()
                    walk.event("notification_opened", opened, what, session)
                    walk.event("app_opened", opened + 1 * SECOND, {"platform": "ios"}, session)
                elif chance.hit(0.01):
                    walk.event("notification_opted_out", opened, {"channel": what["channel"]}, None)
                    return
            at += int(chance.between(10, 50) * DAY)
