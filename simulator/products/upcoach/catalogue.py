"""UpCoach's invented organisations, and the words its people choose from. Data only."""

from __future__ import annotations

from simulator.catalogue import Tenant
from simulator.sources.remarks import Remark, survey
from simulator.truth.engagement.actions import Actions

NAME = "upcoach"
ACTIONS = Actions(
    features={
        "goals": ("goal_*",),
        "habits": ("habit_*",),
        "tasks": ("task_*",),
        "mood": ("mood_logged",),
        "chat": ("chat_*",),
        "ai_nudges": ("nudge_opened",),
        "coach_insights": ("coach_insights_viewed",),
        "dashboard": ("dashboard_viewed",),
        "search": ("search_performed",),
        "exports": ("report_exported",),
    },
    opening=("onboarding_started",),
    steps={
        **{
            step: (f"onboarding_step_completed[step={step}]",)
            for step in ("profile", "goal", "habit", "notifications")
        },
        "onboarding_completed": ("onboarding_completed",),
    },
)


def _coach(number: int, *rest: object, **more: object) -> Tenant:
    return Tenant(f"5c0ac4e0-{number:04d}-4a00-8000-{number:012d}", *rest, **more)  # type: ignore[arg-type]


TENANTS = (
    _coach(
        1,
        "Kompas Coaching",
        "NL",
        "Noord-Holland",
        "Europe/Amsterdam",
        "eur",
        "wellbeing",
        "premium",
        260,
    ),
    _coach(
        2, "Umoya Wellness", "ZA", "Gauteng", "Africa/Johannesburg", "zar", "wellbeing", "pro", 230
    ),
    _coach(
        3, "Harbor Habits", "US", "New York", "America/New_York", "usd", "corporate", "premium", 240
    ),
    _coach(
        4, "Brightside Coaching", "GB", "London", "Europe/London", "gbp", "education", "pro", 150
    ),
    _coach(5, "Asahi Life Lab", "JP", "Tokyo", "Asia/Tokyo", "jpy", "corporate", "pro", 140),
    _coach(
        6,
        "Nakhla Growth",
        "SA",
        "Riyadh",
        "Asia/Riyadh",
        "usd",
        "fitness",
        "pro",
        120,
        weekend=(4, 5),
    ),
    _coach(
        7,
        "Northwind Mentors",
        "IS",
        "Reykjavik",
        "UTC",
        "usd",
        "education",
        "pro",
        60,
        joined_day=30,
    ),
)

# how soon a coach answers a client, by the tenant's plan
PROMISED_MINUTES = {"pro": 60, "premium": 30}

PERSONAS = ("mentor", "drill_sergeant", "friend", "scientist")
HABITS = ("Drink water", "Read 20 pages", "Morning walk", "Meditate", "No phone in bed", "Stretch")
GOALS = (
    "Run ten kilometres",
    "Change careers",
    "Sleep eight hours",
    "Save for a house",
    "Learn isiZulu",
    "Write every day",
)
# what people say and meet now and then when they open the app; newcomers may have been invited
REMARKS = (
    survey("nps", "app_opened", 0.006, 0.72),
    survey("csat", "app_opened", 0.006, 0.74),
    Remark("invite_sent", "app_opened", 0.006, lambda _: {"channel": "link"}),
    Remark("invite_accepted", "onboarding_started", 0.2),
    Remark("referral_sent", "app_opened", 0.004, lambda _: {"channel": "email"}),
    Remark("help_accessed", "app_opened", 0.01, lambda c: {"topic": c.pick(("goals", "billing"))}),
    Remark("form_abandoned", "app_opened", 0.006, lambda _: {"form": "goal"}),
)
