"""What invented companies and people of every product are made of. Data only.

A product's own tenants and word lists lie in its folder. No name here belongs to a real person.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tenant:
    """A customer organisation. `size` is its clients (or guards) at scale 1."""

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
