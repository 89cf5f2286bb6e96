"""The rows of UpCoach's database, written as committed changes.

One method per thing that changes a table. Which day somebody does what is decided in `activity`.
"""

from __future__ import annotations

from typing import Any

from simulator.catalogue import Tenant
from simulator.chance import Chance
from simulator.files import Plant
from simulator.products.upcoach.catalogue import GOALS, HABITS
from simulator.products.upcoach.people import Person
from simulator.sources.debezium import UNAVAILABLE, ChangeLog, decimal
from simulator.timeline import epoch_day, iso_micros
from simulator.truth.coaching.happened import Chat, Client, Goal, Habit, Happened, Message, Nudge


def _when(instant: int | None) -> str | None:
    return None if instant is None else iso_micros(instant)


class Tables:
    """Hands out ids, writes rows of UpCoach, and notes what they tell of."""

    def __init__(self, log: ChangeLog, chance: Chance) -> None:
        self.log, self.chance = log, chance
        self.happened = Happened()
        self.ids: dict[str, int] = {}

    def _id(self, table: str) -> int:
        self.ids[table] = self.ids.get(table, 0) + 1
        return self.ids[table]

    def organization(self, tenant: Tenant, at: int) -> None:
        row = {
            "name": tenant.name,
            "country_code": tenant.country,
            "region": tenant.region,
            "timezone": tenant.timezone,
            "currency": tenant.currency,
            "industry": tenant.industry,
            "plan": tenant.plan,
            "size_band": "large"
            if tenant.size > 200
            else "medium"
            if tenant.size > 100
            else "small",
            "created_at": _when(at),
        }
        self.log.insert(at, "organizations", {"id": tenant.source_id}, row)

    def person(self, person: Person) -> None:
        """The user's row: created at signup, changed with the plan, marked when deleted."""
        row: dict[str, Any] = {
            "organization_id": person.tenant.source_id,
            "email": person.email,
            "full_name": person.name,
            "coach_id": person.coach.user_id if person.coach else None,
            "role": person.role,
            "plan": "free",
            "country_code": person.tenant.country,
            "timezone": person.tenant.timezone,
            "is_consented": person.consented,
            "signup_at": _when(person.signup),
            "deleted_at": None,
        }
        key = {"id": person.user_id}
        self.log.insert(person.signup, "users", key, dict(row))
        if person.signup < self.log.limit:
            self.happened.clients.append(
                Client(
                    person.tenant.source_id,
                    person.user_id,
                    row["coach_id"],
                    person.signup,
                    person.deleted if (person.deleted or self.log.limit) < self.log.limit else None,
                )
            )
        steps: list[tuple[int, dict[str, Any]]] = [
            (at + 400, {"plan": plan})
            for at, plan in sorted(person.plan_changes)
            if at < self.log.window.end
        ]
        if person.deleted is not None:
            steps.append((person.deleted, {"deleted_at": _when(person.deleted)}))
        steps += [(at, {"is_consented": answer}) for at, answer in person.answers]
        for at, step in sorted(steps, key=lambda step: step[0]):
            row |= step
            self.log.update(at, "users", key, dict(row), self._new_column(at, row))

    def _new_column(self, at: int, row: dict[str, Any]) -> Plant | None:
        """In the last third of the window the table has a column that no contract knows."""
        window = self.log.window
        if at < window.end - (window.end - window.start) // 3:
            return None
        row["locale"] = "en"
        return Plant("new_column", "stored_and_drift_reported", None, "users.locale")

    def goal(self, person: Person, at: int, completed: int | None, dropped: int | None) -> int:
        goal_id = self._id("goals")
        day = epoch_day(person.days.day(at)) + self.chance.integer(20, 120)
        row: dict[str, Any] = {
            "user_id": person.user_id,
            "organization_id": person.tenant.source_id,
            "title": self.chance.pick(GOALS),
            "status": "active",
            "created_at": _when(at),
            "target_date": day,
            "completed_at": None,
            "deleted_at": None,
        }
        key = {"id": goal_id}
        self.log.insert(at, "goals", key, dict(row))
        goal = Goal(person.tenant.source_id, person.user_id, at, completed)
        self.happened.goals.append(goal)
        if completed is not None:
            plant = None
            row |= {"status": "completed", "completed_at": _when(completed)}
            told = dict(row)
            if self.chance.hit(0.2):
                told["title"] = UNAVAILABLE
                plant = Plant(
                    "toast_placeholder", "earlier_value_stays", str(goal_id), "goals.title"
                )
            self.log.update(completed, "goals", key, told, plant)
        elif dropped is not None:
            row["status"] = "abandoned"
            if self.chance.hit(0.4):
                row["deleted_at"] = _when(dropped)
                goal.deleted = dropped
            self.log.update(dropped, "goals", key, dict(row))
        return goal_id

    def habit(self, person: Person, at: int, archived: int | None) -> int:
        habit_id = self._id("habits")
        row: dict[str, Any] = {
            "user_id": person.user_id,
            "organization_id": person.tenant.source_id,
            "name": self.chance.pick(HABITS),
            "cadence": "weekly" if self.chance.hit(0.15) else "daily",
            "weight": decimal(self.chance.pick((50, 100, 100, 150, 200))),
            "created_at": _when(at),
            "archived_at": None,
        }
        self.log.insert(at, "habits", {"id": habit_id}, dict(row))
        if at < self.log.limit:
            self.happened.habits[habit_id] = Habit(
                person.tenant.source_id, at, archived, row["cadence"] == "weekly"
            )
        if archived is not None:
            row["archived_at"] = _when(archived)
            self.log.update(archived, "habits", {"id": habit_id}, dict(row))
        return habit_id

    def checkin(self, person: Person, habit_id: int, at: int, taken_back: int | None) -> None:
        day = epoch_day(person.days.day(at))
        row: dict[str, Any] = {
            "user_id": person.user_id,
            "organization_id": person.tenant.source_id,
            "count": 1 if self.chance.hit(0.85) else self.chance.integer(2, 4),
            "checked_at": _when(at),
        }
        key = {"habit_id": habit_id, "day": day}
        self.log.insert(at, "habit_checkins", key, row)
        if taken_back is None:
            self.happened.habits[habit_id].checked.add(person.days.day(at))
        else:
            self.log.delete(taken_back, "habit_checkins", key, row)

    def task(self, person: Person, goal_id: int | None, at: int, done: int | None) -> int:
        task_id = self._id("tasks")
        row: dict[str, Any] = {
            "user_id": person.user_id,
            "organization_id": person.tenant.source_id,
            "goal_id": goal_id,
            "status": "open",
            "created_at": _when(at),
            "completed_at": None,
        }
        self.log.insert(at, "tasks", {"id": task_id}, dict(row))
        if done is not None:
            row |= {"status": "done", "completed_at": _when(done)}
            self.log.update(done, "tasks", {"id": task_id}, dict(row))
        return task_id

    def mood(self, person: Person, at: int, score: int) -> None:
        journal = self.chance.pick(
            (None, None, "Slept well\u2028and ran", "Moeilike week, maar beter", "良い一日でした")
        )
        row = {
            "user_id": person.user_id,
            "organization_id": person.tenant.source_id,
            "score": score,
            "journal": journal,
            "entered_at": _when(at),
        }
        self.log.insert(at, "mood_entries", {"id": self._id("mood_entries")}, row)

    def chat(self, person: Person, at: int, ended: int, persona: str, rating: int | None) -> int:
        chat_id = self._id("chat_sessions")
        row: dict[str, Any] = {
            "user_id": person.user_id,
            "organization_id": person.tenant.source_id,
            "coach_id": person.coach.user_id if person.coach and persona == "coach" else None,
            "persona": persona,
            "started_at": _when(at),
            "ended_at": None,
            "rating": None,
        }
        self.log.insert(at, "chat_sessions", {"id": chat_id}, dict(row))
        row |= {"ended_at": _when(ended), "rating": rating}
        self.log.update(ended, "chat_sessions", {"id": chat_id}, dict(row))
        self.happened.chats[chat_id] = Chat(
            person.tenant.source_id, person.user_id, row["coach_id"], at, rating
        )
        return chat_id

    def message(self, person: Person, chat_id: int, at: int, sender: str | None, role: str) -> None:
        row = {
            "chat_session_id": chat_id,
            "organization_id": person.tenant.source_id,
            "sender_id": sender,
            "sender_role": role,
            "sent_at": _when(at),
            "body": "…",
        }
        self.log.insert(at, "chat_messages", {"id": self._id("chat_messages")}, row)
        self.happened.chats[chat_id].messages.append(Message(at, role))

    def nudge(self, person: Person, at: int, persona: str) -> int:
        nudge_id = self._id("ai_nudges")
        row = {
            "user_id": person.user_id,
            "organization_id": person.tenant.source_id,
            "persona": persona,
            "sent_at": _when(at),
        }
        self.log.insert(at, "ai_nudges", {"id": nudge_id}, row)
        self.happened.nudges.append(Nudge(person.tenant.source_id, person.user_id, at, persona))
        return nudge_id
