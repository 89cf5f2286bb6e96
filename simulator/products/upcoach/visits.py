"""What happens within one visit to UpCoach, and the rows and finished work it leaves behind."""

from __future__ import annotations

from simulator.products.upcoach.catalogue import PERSONAS
from simulator.products.upcoach.walk import Walk
from simulator.timeline import DAY, HOUR, MINUTE, SECOND

SCREENS = ("home", "goals", "habits", "insights", "library", "profile")


class Visits:
    """Scripts one person's visits."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.chance, self.person = walk, walk.chance, walk.person
        self.tables, self.work = walk.tables, walk.work
        self.checked: set[tuple[int, int]] = set()
        self.rows: set[tuple[int, int]] = set()

    def script(self, at: int) -> list[tuple[str, dict]]:
        """What is done in a visit, in order."""
        chance, person = self.chance, self.person
        steps: list[tuple[str, dict]] = [
            ("app_opened", {"platform": chance.pick(("ios", "android", "web"))})
        ]
        if person.role != "client":
            steps.append(("dashboard_viewed", {"dashboard": "clients"}))
            if chance.hit(0.5):
                steps.append(("coach_insights_viewed", {}))
            if chance.hit(0.4):
                steps.append(("search_performed", {"result_count": chance.integer(0, 40)}))
            return steps
        for _ in range(chance.hit(0.55) + chance.hit(0.15)):
            steps.append(("screen_viewed", {"screen": chance.pick(SCREENS)}))
        today = person.days.index(at)
        for habit in self.walk.habits:
            if (habit, today) not in self.checked and chance.hit(0.55):
                self.checked.add((habit, today))
                steps.append(("habit_checked", {"habit_id": habit}))
        if chance.hit(0.22):
            steps.append(
                (
                    "mood_logged",
                    {
                        "score": min(
                            5,
                            max(
                                1,
                                round(
                                    3.2 + 0.5 * person.engaged(at, self.walk.window) + chance.bell()
                                ),
                            ),
                        )
                    },
                )
            )
        if self.walk.goal_id is not None and chance.hit(0.2):
            steps.append(("goal_viewed", {"goal_id": self.walk.goal_id}))
        if chance.hit(0.12):
            steps.append(("task_completed", {}))
        if chance.hit(0.10):
            steps.append(("chat_opened", {"persona": chance.pick((*PERSONAS, "coach", "coach"))}))
        if chance.hit(0.02):
            steps.append(
                (
                    "error_encountered",
                    {"error_code": chance.pick(("E_SYNC", "E_TIMEOUT")), "status": 500},
                )
            )
        if chance.hit(0.015):
            steps.append(("subscription_screen_viewed", {"plan": chance.pick(("pro", "premium"))}))
        return steps

    def record(self, name: str, at: int, properties: dict) -> None:
        chance, person = self.chance, self.person
        if name == "habit_checked":
            today = (properties["habit_id"], person.days.index(at))
            if today in self.rows:
                return
            self.rows.add(today)
            back = at + int(chance.between(1, 60) * MINUTE) if chance.hit(0.015) else None
            if back is not None and back >= self.walk.alive_until:
                back = None
            self.tables.checkin(person, properties["habit_id"], at, back)
            if back is None:
                self.work.habit_checked(person, at)
        elif name == "mood_logged":
            self.tables.mood(person, at, properties["score"])
            self.work.mood(person, at, properties["score"])
        elif name == "task_completed":
            created = max(at - int(chance.between(0.1, 9) * DAY), person.signup + HOUR)
            if created < at:
                properties["task_id"] = self.tables.task(person, self.walk.goal_id, created, at)
                self.work.task_completed(person, at)
        elif name == "chat_opened":
            self._chat(at, properties)

    def _chat(self, at: int, properties: dict) -> None:
        chance, person = self.chance, self.person
        persona = properties["persona"]
        turns = chance.integer(1, 3)
        role = "coach" if persona == "coach" else "ai"
        moments: list[tuple[int, str | None, str]] = []
        now = at + 20 * SECOND
        for _ in range(turns):
            moments.append((now, person.user_id, "client"))
            reply = (
                int(chance.between(2, 20) * SECOND)
                if role == "ai"
                else int(chance.between(1, 90) * MINUTE)
            )
            now += reply
            sender = person.coach.user_id if role == "coach" and person.coach else None
            moments.append((now, sender, role))
            now += int(chance.between(10, 120) * SECOND)
        if now >= self.walk.alive_until:
            return
        rating = min(5, max(1, round(4.1 + 0.8 * chance.bell()))) if chance.hit(0.4) else None
        chat_id = self.tables.chat(person, at, now, persona, rating)
        properties["chat_session_id"] = chat_id
        self.work.chat_started(person, at)
        for moment, sender, who in moments:
            self.tables.message(person, chat_id, moment, sender, who)
