"""RostraCore's invented guarding companies, and the skills of guards with how rare each is. Data only."""

from __future__ import annotations

from simulator.catalogue import Tenant
from simulator.sources.remarks import Remark, survey
from simulator.truth.engagement.actions import Actions
from simulator.truth.experiments.tables import Metric

NAME = "rostracore"
ACTIONS = Actions(
    features={
        name: (name,)
        for name in (
            "roster_generated", "roster_confirmed", "roster_manual_override", "shift_created_manual",
            "shift_created_bulk", "employee_filtered", "export_triggered", "dashboard_viewed",
            "search_performed",
        )
    },
    opening=("user_signup_started",),
    steps={
        name: (name,)
        for name in (
            "user_signup_completed", "first_employee_added", "first_site_added", "first_shift_created",
            "first_roster_generated", "onboarding_completed",
        )
    },
)  # fmt: skip


def _guards(number: int, *rest: object, **more: object) -> Tenant:
    return Tenant(str(number), *rest, **more)  # type: ignore[arg-type]


TENANTS = (
    _guards(
        1,
        "Highveld Guarding",
        "ZA",
        "Gauteng",
        "Africa/Johannesburg",
        "zar",
        "Corporate",
        "business",
        90,
    ),
    _guards(
        2,
        "Tafel Protection",
        "ZA",
        "Western Cape",
        "Africa/Johannesburg",
        "zar",
        "Residential",
        "professional",
        60,
    ),
    _guards(
        3,
        "Durban Quay Security",
        "ZA",
        "KwaZulu-Natal",
        "Africa/Johannesburg",
        "zar",
        "Event",
        "starter",
        40,
    ),
    _guards(
        4,
        "Waterlinie Beveiliging",
        "NL",
        "Utrecht",
        "Europe/Amsterdam",
        "eur",
        "Corporate",
        "professional",
        55,
    ),
    _guards(5, "Thames Watch", "GB", "London", "Europe/London", "gbp", "Event", "professional", 50),
    _guards(
        6,
        "Najd Sentinel",
        "SA",
        "Riyadh",
        "Asia/Riyadh",
        "usd",
        "Corporate",
        "business",
        60,
        weekend=(4, 5),
    ),
    _guards(
        7, "Hudson Gate", "US", "New York", "America/New_York", "usd", "Residential", "starter", 35
    ),
    _guards(
        8,
        "Minato Keibi",
        "JP",
        "Tokyo",
        "Asia/Tokyo",
        "jpy",
        "Corporate",
        "starter",
        35,
        joined_day=40,
    ),
)

SKILLS = (
    ("patrol", 0.0),
    ("access_control", -0.1),
    ("control_room", -0.55),
    ("armed_response", -0.9),
)
# what schedulers say and meet now and then when they look at a dashboard
REMARKS = (
    survey("nps", "dashboard_viewed", 0.012, 0.75),
    survey("csat", "dashboard_viewed", 0.012, 0.7),
    Remark("invite_sent", "dashboard_viewed", 0.01, lambda _: {"channel": "email"}),
    Remark("invite_accepted", "dashboard_viewed", 0.006),
    Remark("referral_sent", "dashboard_viewed", 0.008, lambda _: {"channel": "link"}),
)
# by what experiments are measured, and what decides those that do not say
METRICS = (
    *(Metric(name, name) for name in ("referral_sent", "invite_sent", "plan_upgraded", "roster_confirmed")),
    Metric("shifts_created_in_bulk", "shift_created_bulk"),
    Metric("reports_opened", "feature_clicked", ("feature", "reports")),
)  # fmt: skip
PRIMARY_METRIC = "referral_sent"
