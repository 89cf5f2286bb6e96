"""What happened between people, their coaches and the assistant: the raw material of the truth about coaching.

Belongs here: goals, habits, clients, chats and nudges as they went, noted while their rows are written.
Does not belong here: counting (`tables`); what each got done on a day (`work`). Nothing here reads a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


@dataclass
class Goal:
    """A goal of one user; instants are null until it is completed, or deleted."""

    tenant: str
    user: str
    created: int
    completed: int | None = None
    deleted: int | None = None


@dataclass
class Habit:
    """A habit, and the local days for which a check-in stands."""

    tenant: str
    created: int
    archived: int | None
    is_weekly: bool
    checked: set[date] = field(default_factory=set)


@dataclass
class Client:
    """Somebody whom one coach looks after from the signup until they are deleted."""

    tenant: str
    user: str
    coach: str | None
    signup: int
    deleted: int | None


class Message(NamedTuple):
    """One message of a chat; `role` is client, coach or ai."""

    at: int
    role: str


@dataclass
class Chat:
    """A chat session; without a coach it is the assistant's."""

    tenant: str
    user: str
    coach: str | None
    started: int
    rating: int | None
    messages: list[Message] = field(default_factory=list)


class Nudge(NamedTuple):
    """What a persona of the assistant sent unasked."""

    tenant: str
    user: str
    at: int
    persona: str


@dataclass
class Happened:
    """Everything of one product, in the order in which it was noted."""

    clients: list[Client] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    habits: dict[int, Habit] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    nudges: list[Nudge] = field(default_factory=list)
