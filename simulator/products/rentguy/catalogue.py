"""RentGuy's rental companies, what they rent out and the words of their systems. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.catalogue import Tenant
from simulator.truth.engagement.actions import Actions

NAME = "rentguy"
# what the onboarding asks of whoever goes through it
STEP_CODES = ("kickoff", "company", "team")
ACTIONS = Actions(
    features={
        **{
            module: (f"rentguy.{module}.*",)
            for module in ("planner", "finance", "crm", "onboarding")
        },
        "scanning": ("scan.*",),
    },
    opening=("rentguy.onboarding.*",),
    steps={
        "kickoff": ("rentguy.onboarding.step_completed[stepCode=kickoff]",),
        **{module: (f"rentguy.{module}.*",) for module in ("planner", "crm", "finance")},
    },
)
# what is rented out → its share of the equipment, a day's price in the smallest unit that has two decimals
CATEGORIES = {
    "lifts": (0.3, 18900),
    "lighting": (0.3, 4500),
    "cameras": (0.25, 9900),
    "staging": (0.15, 6400),
}
# the word a source has for a channel → the channel that it counts for
CHANNELS = {
    "google_ads": "paid_search",
    "organic": "organic_search",
    "Instagram": "social",
    "newsletter": "email",
    "referral": "referral",
    "trade_show": "events",
    "phone": "direct",
    "skywriting": "other",
    "": "unknown",
}
# the word a customer's ticket has for its priority → the priority that it counts for
PRIORITIES = {"low": "low", "normal": "normal", "Medium": "normal", "high": "high", "P1": "urgent"}
METHODS = ("ideal", "sepa_debit", "card", "bank_transfer")
MODULES = {
    "planner": ("board_opened", "booking_moved", "search_performed"),
    "finance": ("invoice_sent", "report_opened"),
    "crm": ("customer_opened", "lead_assigned"),
    "onboarding": ("step_completed",),
}


@dataclass(frozen=True)
class Company:
    """A tenant's habits. `size` of the tenant is its pieces of equipment at scale 1.

    `tax_percent`: what is added to each invoice; `days_to_pay`: until an invoice is due.
    """

    tenant: Tenant
    tax_percent: int
    days_to_pay: int
    leads_a_day: float


def _tenant(
    number: int, name: str, country: str, region: str, timezone: str, currency: str, plan: str,
    size: int, joined_day: int = -200,
) -> Tenant:  # fmt: skip
    return Tenant(
        f"tenant-{number}", name, country, region, timezone, currency, "Event equipment", plan, size,
        joined_day,
    )  # fmt: skip


COMPANIES = (
    Company(
        _tenant(
            41, "Maasstad Verhuur", "NL", "Zuid-Holland", "Europe/Amsterdam", "eur", "business", 16
        ),
        21, 14, 1.2,
    ),
    Company(
        _tenant(42, "Wasatch Stage Rental", "US", "Utah", "America/Denver", "usd", "team", 12),
        7, 30, 0.9,
    ),
    Company(
        _tenant(43, "Kanto Kizai", "JP", "Tokyo", "Asia/Tokyo", "jpy", "team", 9, joined_day=30),
        10, 30, 0.7,
    ),
)  # fmt: skip
TENANTS = tuple(company.tenant for company in COMPANIES)
# what comes beside the seats: a scanner a month, and a text message to a client, by what is sent
SCANNER_PRICES = {"usd": 900, "eur": 800, "jpy": 1300}
MESSAGE_PRICES = {"usd": 6, "eur": 5, "jpy": 9}
PRICES = {
    "team": {"usd": 9900, "eur": 8900, "jpy": 14000},
    "business": {"usd": 24900, "eur": 22900, "jpy": 36000},
}
