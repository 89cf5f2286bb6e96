"""SAMIA-TAROT's marketplaces and what is sold on them. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.catalogue import Tenant
from simulator.truth.engagement.actions import Actions

NAME = "samia_tarot"
ACTIONS = Actions(
    features={
        "orders": ("order_created",),
        "payments": ("payment_attempted",),
        "calls": ("call_started",),
        "horoscopes": ("horoscope_listened",),
        "notifications": ("notification_opened",),
        "moderation": ("content_flagged", "appeal_submitted"),
        "content": ("horoscope_uploaded", "horoscope_published"),
    },
    opening=("order_created",),
    steps={name: (name,) for name in ("payment_succeeded", "order_assigned", "order_completed")},
)
SIGNS = (
    "aries", "taurus", "gemini", "cancer", "leo", "virgo",
    "libra", "scorpio", "sagittarius", "capricorn", "aquarius", "pisces",
)  # fmt: skip
# service → share of the orders, price in the smallest unit that has two decimals
SERVICES = {
    "tarot": (0.5, 4900),
    "coffee": (0.2, 2900),
    "healing": (0.2, 6500),
    "dream": (0.1, 3900),
}
CALL_SERVICES = ("tarot", "healing")
CHANNELS = ("push", "push", "email", "whatsapp")


@dataclass(frozen=True)
class Marketplace:
    """A tenant's habits. `size` of the tenant is its orders on an ordinary day at scale 1.

    `countries`: where its clients live, with their shares. `has_payment_ids`: its shop names the
    payment that an answer belongs to; the others name order and provider. `has_horoscopes`: it
    publishes a text for each sign every day.
    """

    tenant: Tenant
    countries: tuple[tuple[str, float], ...]
    providers: tuple[str, ...]
    readers: int
    has_payment_ids: bool = True
    has_horoscopes: bool = True


def _tenant(
    slug: str, name: str, country: str, region: str, timezone: str, currency: str, size: int,
    weekend: tuple[int, ...] = (5, 6), joined_day: int = -300,
) -> Tenant:  # fmt: skip
    return Tenant(
        slug, name, country, region, timezone, currency, "Readings", "marketplace", size,
        joined_day, weekend,
    )  # fmt: skip


MARKETPLACES = (
    Marketplace(
        _tenant("najma", "Najma Readings", "SA", "Riyadh", "Asia/Riyadh", "sar", 9, (4, 5)),
        (("SA", 0.7), ("AE", 0.2), ("KW", 0.1)),
        ("stripe", "square", "paytabs"),
        8,
    ),
    Marketplace(
        _tenant("maan", "Maan Kaarten", "NL", "Utrecht", "Europe/Amsterdam", "eur", 6),
        (("NL", 0.8), ("BE", 0.2)),
        ("stripe", "mollie"),
        5,
        has_payment_ids=False,
    ),
    Marketplace(
        _tenant("hoshi", "Hoshi Uranai", "JP", "Tokyo", "Asia/Tokyo", "jpy", 4, joined_day=30),
        (("JP", 1.0),),
        ("stripe", "square"),
        3,
        has_horoscopes=False,
    ),
)
TENANTS = tuple(marketplace.tenant for marketplace in MARKETPLACES)
