"""ProjectFlo's studios and what they sell. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.catalogue import Tenant
from simulator.truth.engagement.actions import Actions

NAME = "projectflo"
ACTIONS = Actions(
    features={
        "projects": ("project_*", "scope_changed"),
        "time_tracking": ("time_logged",),
        "tasks": ("task_*",),
        "deliverables": ("deliverable_*", "revision_requested"),
        "sales": ("lead_*", "quote_*", "booking_created"),
        "finance": ("invoice_sent", "cost_recorded"),
        "messages": ("message_answered",),
        "quality": ("quality_assessed",),
        "resources": ("resource_*",),
        "reports": ("report_exported",),
    },
    opening=("session_started",),
    steps={name: (name,) for name in ("task_completed", "time_logged")},
)
# deliverable → hours of work, share of the orders
DELIVERABLES = {
    "commercial": (46, 0.25),
    "social_cut": (14, 0.4),
    "documentary": (70, 0.1),
    "event_film": (26, 0.25),
}
# kind of work → skill, share of a deliverable's hours
WORK = {"shooting": ("camera", 0.4), "editing": ("editing", 0.4), "finishing": ("colour", 0.2)}
SKILLS = ("camera", "editing", "colour")
ROLES = ("producer", "camera_operator", "editor", "colourist", "sound_designer")
CHANNELS = ("referral", "website", "linkedin", "fair")
REVISION_REASONS = ("pace", "colour", "music", "brand")
THEMES = ("communication", "timeliness", "creativity", "price")
EQUIPMENT, SOFTWARE = (1, 2, 3), (1, 2)


@dataclass(frozen=True)
class Studio:
    """A tenant's habits. `size` of the tenant is its contributors at scale 1.

    Amounts count in hundredths of the currency, of which `grain` is the smallest that it has: a yen
    is a hundred. `hour` is what an hour of a contributor costs, `tax` the share added to an invoice,
    `punctual` how likely work takes no longer than planned.
    """

    tenant: Tenant
    hour: int
    grain: int
    tax: float
    punctual: float
    terms_days: int


def _tenant(
    slug: str, name: str, country: str, region: str, timezone: str, currency: str, plan: str,
    size: int,
) -> Tenant:  # fmt: skip
    return Tenant(slug, name, country, region, timezone, currency, "Video production", plan, size)


STUDIOS = (
    Studio(
        _tenant("lichtlijn", "Lichtlijn Film", "NL", "Utrecht", "Europe/Amsterdam", "eur", "studio", 8),
        4500, 1, 0.21, 0.75, 14,
    ),
    Studio(
        _tenant("kumo", "Kumo Pictures", "JP", "Tokyo", "Asia/Tokyo", "jpy", "studio", 5),
        520000, 100, 0.1, 0.9, 30,
    ),
    Studio(
        _tenant("eastpier", "East Pier Media", "US", "New York", "America/New_York", "usd", "agency", 6),
        6000, 1, 0.0, 0.6, 14,
    ),
)  # fmt: skip
TENANTS = tuple(studio.tenant for studio in STUDIOS)
# a seat a month, in minor units
SEAT_PRICES = {"eur": 3900, "jpy": 5900, "usd": 4500}
