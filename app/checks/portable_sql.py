"""No dialect in a model: what one engine alone understands lives in `macros/engine/`.

Looks at models, snapshots, dbt tests and all macros outside `macros/engine`, after comments and
string literals were taken out. Belongs here: the list of refused constructs, each with its way out.
"""

import re
from pathlib import Path

FOLDERS = ("models", "snapshots", "tests/dbt", "macros")
EXEMPT = ("macros/engine/", "macros/governance/", "macros/incremental/")

REFUSED = {
    "`::` cast": (r"::", "write cast(x as {{ type_… }})"),
    "JSON operator": (r"->>?|#>>?|@>|<@|\?\||\?&", "use json_text(), json_number() …"),
    "regular expression operator": (r"(?<![!<>=])!?~\*?(?!=)", "use a macro of macros/engine"),
    "generate_series": (r"\bgenerate_series\s*\(", "use date_spine() or a number table"),
    "filter (where …)": (r"\bfilter\s*\(\s*where\b", "use count_if() or sum_if()"),
    "distinct on": (r"\bdistinct\s+on\s*\(", "use row_number() in a step of its own"),
    "qualify": (r"^\s*qualify\b", "use row_number() in a step of its own"),
    "string_agg": (r"\b(string_agg|array_agg|listagg|group_concat)\s*\(", "use a macro"),
    "ilike": (r"\bilike\b", "use lower(x) like"),
    "date arithmetic of one engine": (
        r"\binterval\s*'|\bdate_trunc\s*\(|\bextract\s*\(|\bdate_part\s*\(|\bage\s*\(",
        "use add_days(), add_interval(), month_start(), days_between() …",
    ),
    "time zone of one engine": (r"\bat\s+time\s+zone\b", "use local_date()"),
    "wall clock": (
        r"\b(now\s*\(|current_timestamp\b|current_date\b|clock_timestamp\s*\(|localtimestamp\b)",
        "marts never ask the clock: use as_of()",
    ),
    "lateral join": (r"\blateral\b", "use a macro of macros/engine"),
    "JSON function of Postgres": (r"\bjsonb?_\w+\s*\((?![^{]*\}\})", "use a macro"),
    "percentile_cont": (r"\bwithin\s+group\b", "use percentile() or median()"),
}


def findings(root: Path) -> list[str]:
    """Every offence as `file:line: what; way out`."""
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.sql")):
            name = path.relative_to(root).as_posix()
            if name.startswith(EXEMPT):
                continue
            found += [f"{name}:{line}: {what}" for line, what in offences(path.read_text("utf-8"))]
    return found


def offences(text: str) -> list[tuple[int, str]]:
    """(line, sentence) of each refused construct in one file's text."""
    bare = strip(text)
    found = []
    for what, (pattern, way_out) in REFUSED.items():
        for match in re.finditer(pattern, bare, re.IGNORECASE | re.MULTILINE):
            found.append((bare.count("\n", 0, match.end()) + 1, f"{what}; {way_out}"))
    return sorted(set(found))


def strip(text: str) -> str:
    """Blank out comments, Jinja and quoted text, keeping every line where it is."""
    pattern = r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'"
    return re.sub(pattern, _blank, text, flags=re.DOTALL)


def _blank(match: re.Match[str]) -> str:
    lines = match.group().count("\n")
    quoted = "''" if match.group().startswith("'") else " "
    return quoted + "\n" * lines
