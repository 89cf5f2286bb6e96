"""Words of what is counted and named: `1 record`, `2 records`; `entries` → `entry`.

Belongs here: one and many. Does not belong here: sentences; each module says its own.
"""


def counted(number: int, noun: str) -> str:
    """`1 record`, `1,200 records`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def singular(plural: str) -> str:
    """`entries` → `entry`, `statuses` → `status`, `people` → `person`."""
    if plural.endswith("people"):
        return f"{plural.removesuffix('people')}person"
    if plural.endswith("ies") and len(plural) > 4:
        return f"{plural[:-3]}y"
    if plural.endswith(("sses", "shes", "ches", "xes", "zes", "uses")):
        return plural[:-2]
    if plural.endswith("s") and not plural.endswith(("ss", "us", "is", "news", "series")):
        return plural[:-1]
    return plural
