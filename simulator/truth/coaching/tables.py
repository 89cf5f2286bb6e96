"""The tables of coaching: what happened, counted by the tenant's days and by the hour.

What belongs here: counting. What does not: what happened (`happened`). Every day is counted by itself, as
somebody would who stood at its end and looked back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import mean, median
from typing import Any

from simulator.sources.events import PASSIVE, Event
from simulator.timeline import HOUR, MINUTE, LocalDays, iso
from simulator.truth.coaching.happened import Chat, Goal, Habit, Happened
from simulator.truth.table import Table, entity_uuid

DAYS_TO_LOOK_BACK = 28
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Question:
    """What a client asked a coach; `minutes` is null where nobody answered."""

    tenant: str
    coach: str
    asked: date
    minutes: float | None


@dataclass(frozen=True)
class Coaching:
    """Counts what happened in one product, whose tenants' calendars are `days`, up to `as_of`.

    `promised`: the minutes within which a tenant's coaches answer.
    """

    product: str
    happened: Happened
    days: Mapping[str, LocalDays]
    promised: Mapping[str, int]
    as_of: int

    def tables(self, events: Iterable[Event]) -> list[Table]:
        return [self._goals(), self._habits(), self._nudges(events), self._coaches(), self._chats()]

    def _today(self, tenant: str) -> date:
        return self.days[tenant].day(self.as_of)

    def _days_since(self, tenant: str, first: date) -> Iterator[date]:
        day, last = first, self._today(tenant)
        while day <= last:
            yield day
            day += ONE_DAY

    def _table(self, name: str, grain: str, meaning: str, header: str, rows: Any) -> Table:
        made = ((row[0], entity_uuid(self.product, "tenant", row[1]), *row[2:]) for row in rows)
        return Table(name, grain, meaning, tuple(header.split()), list(made))

    # --- goals ------------------------------------------------------------------------------------
    def _goals(self) -> Table:
        signups = {(c.tenant, c.user): c.signup for c in self.happened.clients}
        cohorts: dict[tuple[str, date], list[Goal]] = defaultdict(list)
        for goal in self.happened.goals:
            signup = self.days[goal.tenant].day(signups[goal.tenant, goal.user])
            cohorts[goal.tenant, signup - signup.weekday() * ONE_DAY].append(goal)
        rows = [
            (day, tenant, cohort, *counts)
            for (tenant, cohort), goals in sorted(cohorts.items())
            for day, *counts in self._standing(tenant, goals)
        ]
        return self._table(
            "coaching_goals_daily",
            "day × tenant × week of signup, from the cohort's first goal on",
            "goals set by the day and not deleted by then; those of them that were completed by the day",
            "metric_date tenant_id cohort_week active_goals completed_goals",
            rows,
        )

    def _standing(self, tenant: str, goals: list[Goal]) -> Iterator[tuple[date, int, int]]:
        """Day by day: goals that are there, and how many of them are completed."""
        calendar = self.days[tenant]
        created, gone, done = Counter[date](), Counter[date](), Counter[date]()
        for goal in goals:
            created[calendar.day(goal.created)] += 1
            if goal.deleted is not None:
                gone[calendar.day(goal.deleted)] += 1
            elif goal.completed is not None:
                done[calendar.day(goal.completed)] += 1
        active = completed = 0
        for day in self._days_since(tenant, min(created)):
            active += created[day] - gone[day]
            completed += done[day]
            yield day, active, completed

    # --- habits -----------------------------------------------------------------------------------
    def _habits(self) -> Table:
        found: dict[tuple[date, str], list[tuple[int, int, int]]] = defaultdict(list)
        for habit in self.happened.habits.values():
            for day, due, done, streak in self._kept(habit):
                found[day, habit.tenant].append((due, done, streak))
        rows = []
        for (day, tenant), habits in sorted(found.items()):
            is_over = day < self._today(tenant)
            scores = [100 * (0.7 * k / d + 0.3 * min(s, 7) / 7) for d, k, s in habits]
            rows.append(
                (
                    *(day, tenant, len(habits)),
                    *(sum(k for _, k, _ in habits), sum(d for d, _, _ in habits)),
                    f"{mean(scores):.8f}" if is_over else "",
                    f"{mean(s for _, _, s in habits):.8f}" if is_over else "",
                )
            )
        return self._table(
            "coaching_habits_daily",
            "day × tenant with habits due in the seven days ending then",
            "such habits; how often they were done and due in these days; mean score (0.7 for what was "
            "done, 0.3 for a streak of up to seven days) and streak, on days that are over",
            "metric_date tenant_id habits done due habit_adherence_score avg_streak_days",
            rows,
        )

    def _kept(self, habit: Habit) -> Iterator[tuple[date, int, int, int]]:
        """(day, times due and done in the seven days, streak in days) while it was due in them."""
        calendar = self.days[habit.tenant]
        first, today = calendar.day(habit.created), self._today(habit.tenant)
        last = today if habit.archived is None else calendar.day(habit.archived) - ONE_DAY
        due: dict[date, bool] = {}
        for day in self._days_since(habit.tenant, first):
            if day > last:
                break
            if not habit.is_weekly:
                due[day] = day in habit.checked
                continue
            monday = max(first, day - day.weekday() * ONE_DAY)
            earlier = any(monday + n * ONE_DAY in habit.checked for n in range((day - monday).days))
            if not earlier and (day in habit.checked or day.weekday() == 6):
                due[day] = day in habit.checked
        streak = 0
        for day in self._days_since(habit.tenant, first):
            if day in due:
                streak = streak + (7 if habit.is_weekly else 1) if due[day] else 0
            week = [due[d] for n in range(7) if (d := day - n * ONE_DAY) in due]
            if week:
                yield day, len(week), sum(week), streak

    # --- nudges -----------------------------------------------------------------------------------
    def _nudges(self, events: Iterable[Event]) -> Table:
        moments: dict[tuple[str, str], list[int]] = defaultdict(list)
        for event in events:
            if event.name not in PASSIVE:
                moments[event.tenant_id, event.user].append(event.counted_at)
        for held in moments.values():
            held.sort()
        sent, engaged, last = Counter[Any](), Counter[Any](), dict[Any, int]()
        for nudge in self.happened.nudges:
            key = (nudge.at // HOUR * HOUR, nudge.tenant, nudge.persona)
            held = moments[nudge.tenant, nudge.user]
            after = bisect_right(held, nudge.at)
            sent[key] += 1
            engaged[key] += after < len(held) and held[after] <= nudge.at + 24 * HOUR
            last[key] = max(last.get(key, 0), nudge.at)
        return self._table(
            "coaching_nudges_hourly",
            "hour (UTC) × tenant × persona in which nudges were sent",
            "nudges; those after which their user did anything within 24 hours, a share once these have passed",
            "hour_at tenant_id persona nudges_sent nudges_engaged ai_nudge_effectiveness",
            [
                (
                    *(iso(key[0]), *key[1:], sent[key], engaged[key]),
                    f"{engaged[key] / sent[key]:.8f}"
                    if last[key] + 24 * HOUR <= self.as_of
                    else "",
                )
                for key in sorted(sent)
            ],
        )

    # --- coaches ----------------------------------------------------------------------------------
    def _questions(self) -> list[Question]:
        """A client's messages in a row, until the coach speaks; of chats with a coach alone."""
        found = []
        for chat in self.happened.chats.values():
            asked: int | None = None
            if chat.coach is None:
                continue
            for at, role in sorted(chat.messages):
                if role == "client" and asked is None:
                    asked = at
                elif role == "coach" and asked is not None:
                    found.append(self._question(chat, asked, (at - asked) / MINUTE))
                    asked = None
            if asked is not None:
                found.append(self._question(chat, asked, None))
        return found

    def _question(self, chat: Chat, asked: int, minutes: float | None) -> Question:
        return Question(chat.tenant, chat.coach or "", self.days[chat.tenant].day(asked), minutes)

    def _coaches(self) -> Table:
        clients, goals = defaultdict(list), defaultdict(list)
        coach_of = {}
        for client in self.happened.clients:
            if client.coach is not None:
                coach_of[client.tenant, client.user] = client
                clients[client.tenant, client.coach].append(client)
        for goal in self.happened.goals:
            client = coach_of[goal.tenant, goal.user]
            goals[goal.tenant, client.coach].append((goal, client))
        questions, chats = defaultdict(list), Counter[Any]()
        ratings: dict[Any, list[int]] = defaultdict(list)
        for question in self._questions():
            questions[question.asked, question.tenant, question.coach].append(question.minutes)
        for chat in self.happened.chats.values():
            if chat.coach is not None:
                key = (self.days[chat.tenant].day(chat.started), chat.tenant, chat.coach)
                chats[key] += 1
                ratings[key] += [chat.rating] if chat.rating is not None else []
        rows = []
        for (tenant, coach), held in sorted(clients.items()):
            calendar = self.days[tenant]
            arrive = Counter(calendar.day(c.signup) for c in held)
            leave = Counter(calendar.day(c.deleted) for c in held if c.deleted is not None)
            standing = self._coached(tenant, goals[tenant, coach])
            count = active = completed = 0
            for day in self._days_since(tenant, min(arrive)):
                count += arrive[day] - leave[day]
                active += standing[day][0]
                completed += standing[day][1]
                key = (day, tenant, coach)
                answered = [m for m in questions[key] if m is not None]
                is_over = day < self._today(tenant)
                rows.append(
                    (
                        *key,
                        *(count, active, completed, len(questions[key])),
                        f"{median(answered):.6f}" if answered and is_over else "",
                        *(chats[key], len(ratings[key])),
                        f"{mean(ratings[key]):.8f}" if ratings[key] and is_over else "",
                    )
                )
        return self._table(
            "coaching_coaches_daily",
            "day × coach, from the first client on",
            "clients and their goals, set by the day and not deleted by then, and completed; questions asked "
            "that day and the median minutes to answer them; chats begun and their mean rating; means of days that "
            "are over",
            "metric_date tenant_id coach_id clients active_goals completed_goals questions_asked "
            "message_response_minutes_median chat_sessions rated_sessions session_rating_avg",
            rows,
        )

    def _coached(self, tenant: str, goals: list[Any]) -> dict[date, list[int]]:
        """By day, how many more goals there are, and completed ones, while their owner is a client."""
        calendar = self.days[tenant]
        changes: dict[date, list[int]] = defaultdict(lambda: [0, 0])
        for goal, client in goals:
            ends = [calendar.day(end) for end in (goal.deleted, client.deleted) if end is not None]
            created, end = calendar.day(goal.created), min(ends, default=None)
            done = None if goal.completed is None else calendar.day(goal.completed)
            if end is None or created < end:
                changes[created][0] += 1
                changes[end or self._today(tenant) + ONE_DAY][0] -= 1
            if done is not None and (end is None or done < end):
                changes[done][1] += 1
                changes[end or self._today(tenant) + ONE_DAY][1] -= 1
        return changes

    # --- chats ------------------------------------------------------------------------------------
    def _chats(self) -> Table:
        begun, minutes = Counter[Any](), defaultdict(list)
        ratings: dict[Any, list[int]] = defaultdict(list)
        for chat in self.happened.chats.values():
            key = (self.days[chat.tenant].day(chat.started), chat.tenant)
            begun[key] += 1
            ratings[key] += [chat.rating] if chat.rating is not None else []
        for question in self._questions():
            minutes[question.asked, question.tenant].append(question.minutes)
        rows = []
        for key in sorted({*begun, *minutes}):
            answered = [m for m in minutes[key] if m is not None]
            is_over = key[0] < self._today(key[1])
            in_time = sum(m <= self.promised[key[1]] for m in answered)
            rows.append(
                (
                    *(*key, begun[key], len(ratings[key])),
                    f"{mean(ratings[key]):.8f}" if ratings[key] and is_over else "",
                    *(len(minutes[key]), in_time),
                    f"{median(answered):.6f}" if answered and is_over else "",
                )
            )
        return self._table(
            "coaching_chats_daily",
            "day × tenant with a chat begun or a question to a coach",
            "chats begun, rated ones and their mean rating; questions to coaches, those answered within the "
            "promised minutes, median minutes to answer; means of days that are over",
            "metric_date tenant_id chat_sessions rated_sessions ai_session_satisfaction questions_asked "
            "questions_in_time message_response_minutes_median",
            rows,
        )
