"""The invented companies and price lists of the sample. Data only.

Money is in minor units of its currency (JPY has none). No name here belongs to a real person.
"""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNTS = {"upcoach": "acct_upcoach", "rostracore": "acct_rostracore"}


@dataclass(frozen=True)
class Tenant:
    """A customer organisation of one product. `size` is its clients (or guards) at scale 1."""

    product: str
    source_id: str
    name: str
    country: str
    region: str
    timezone: str
    currency: str
    industry: str
    plan: str
    size: int
    joined_day: int = -300
    weekend: tuple[int, ...] = (5, 6)

    def joined(self, window_days: int) -> int:
        """The day it joined, counted from the window's start; early enough for a short window."""
        return min(self.joined_day, max(1, window_days // 3))


def _coach(number: int, *rest: object, **more: object) -> Tenant:
    return Tenant("upcoach", f"5c0ac4e0-{number:04d}-4a00-8000-{number:012d}", *rest, **more)  # type: ignore[arg-type]


UPCOACH = (
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


def _guards(number: int, *rest: object, **more: object) -> Tenant:
    return Tenant("rostracore", str(number), *rest, **more)  # type: ignore[arg-type]


ROSTRACORE = (
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

FIRST_NAMES = (
    "Amara",
    "Bram",
    "Chidi",
    "Daan",
    "Eszter",
    "Farah",
    "Giulia",
    "Haruto",
    "Ines",
    "Jabu",
    "Kenji",
    "Lindiwe",
    "Maren",
    "Noor",
    "Oren",
    "Priya",
    "Quentin",
    "Rania",
    "Sipho",
    "Tove",
    "Umar",
    "Vusi",
    "Wanjiru",
    "Xolani",
    "Yuki",
    "Zanele",
    "José",
    "Zoë",
)
LAST_NAMES = (
    "Adebayo",
    "Bakker",
    "Castillo",
    "Dlamini",
    "Eriksen",
    "Fukuda",
    "Ghali",
    "Hendriks",
    "Ito",
    "Jansen",
    "Khumalo",
    "Larsson",
    "Mokoena",
    "Naidoo",
    "Okafor",
    "Petrov",
    "Qureshi",
    "Rossi",
    "Sato",
    "Tshabalala",
    "Umeda",
    "van der Meër",
    "Walker",
    "Xaba",
    "Yilmaz",
    "Zulu",
)
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
SKILLS = (
    ("patrol", 0.0),
    ("access_control", -0.1),
    ("control_room", -0.55),
    ("armed_response", -0.9),
)
BROWSERS = ("Chrome", "Safari", "Firefox", "Edge")
