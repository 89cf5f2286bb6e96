"""SQL that every engine understands: what one engine alone understands lives in `macros/engine/`.

Two looks at every model, snapshot and test, compiled for each engine (`engines`), without any folder
left out. sqlglot must be able to read the text in that engine's dialect; and where the text is a
model's own, not that of an engine macro, it may hold nothing that only one engine has. Nothing at
all may ask the wall clock. Belongs here: the refused constructs, each with its way out.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from app.checks.engines import CLOSES, OPENS, Compiled

_JSON = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)
_JSON_TESTS = (exp.JSONBContains, exp.ArrayContainsAll, exp.ArrayContainedBy)
_CLOCK = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentDatetime)
_AGGREGATES = (exp.GroupConcat, exp.ArrayAgg)
_SERIES = (exp.GenerateSeries, exp.ExplodingGenerateSeries)
_PERIODS = (exp.TimestampTrunc, exp.DateTrunc, exp.Extract)
_CALL = re.compile(
    r"(?P<json>(to_)?jsonb?(_\w+)?)|(?P<date>age|date_part)|(?P<clock>now|clock_timestamp|localtimestamp)"
)
CLOCK = "wall clock; marts never ask the clock: use as_of()"
REFUSED: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    (
        "JSON operator; use json_text(), json_number() …",
        lambda n: isinstance(n, (*_JSON, *_JSON_TESTS)),
    ),
    ("JSON function of one engine; use a macro of macros/engine", lambda n: _calls(n, "json")),
    (
        "regular expression of one engine; use matches()",
        lambda n: isinstance(n, (exp.RegexpLike, exp.RegexpILike)),
    ),
    ("generate_series; use date_spine() or a number table", lambda n: isinstance(n, _SERIES)),
    ("filter (where …); use count_if() or sum_if()", lambda n: isinstance(n, exp.Filter)),
    (
        "distinct on; use row_number() in a step of its own",
        lambda n: isinstance(n, exp.Distinct) and n.args.get("on") is not None,
    ),
    ("qualify; use row_number() in a step of its own", lambda n: isinstance(n, exp.Qualify)),
    ("string_agg, array_agg; use a macro of macros/engine", lambda n: isinstance(n, _AGGREGATES)),
    ("ilike; use lower(x) like", lambda n: isinstance(n, exp.ILike)),
    (
        "date arithmetic of one engine; use add_days(), add_interval(), month_start() …",
        lambda n: isinstance(n, (exp.Interval, *_PERIODS)) or _calls(n, "date"),
    ),
    ("time zone of one engine; use local_date()", lambda n: isinstance(n, exp.AtTimeZone)),
    ("lateral join; use a macro of macros/engine", lambda n: isinstance(n, exp.Lateral)),
    ("within group; use percentile() or median()", lambda n: isinstance(n, exp.WithinGroup)),
)


def findings(compiled: Iterable[Compiled]) -> list[str]:
    """Every offence as `file: what; way out`, once for a file."""
    found = {f"{one.path}: {why}" for one in compiled for why in offences(one.sql, one.engine)}
    return sorted(found)


def offences(sql: str, engine: str = "postgres") -> list[str]:
    """What this engine cannot read in a compiled text, and what is another's in the model's own."""
    found = []
    whole = sql.replace(OPENS, " ").replace(CLOSES, " ")
    try:
        for node in _nodes(whole, engine):
            if isinstance(node, _CLOCK) or _calls(node, "clock"):
                found.append(f"{CLOCK}: {_said(node)}")
    except SqlglotError as error:
        return [f"{engine} cannot read this: {_reason(error)}"]
    own = own_words(sql)
    if "::" in _unquoted(own):
        found.append("`::` cast; write cast(x as {{ type_… }})")
    if (
        engine == "postgres"
    ):  # a model's own words are the same for each; read by the widest dialect
        for node in _nodes(own, engine):
            found += [f"{what}: {_said(node)}" for what, is_refused in REFUSED if is_refused(node)]
    return sorted(set(found))


def own_words(sql: str) -> str:
    """The text with a placeholder where an engine macro wrote; it reads as the same kind of thing."""
    out, depth, start, end = [], 0, 0, 0
    for mark in re.finditer(re.escape(OPENS) + "|" + re.escape(CLOSES), sql):
        if mark.group() == OPENS:
            if depth == 0:
                out.append(sql[end : mark.start()])
                start = mark.end()
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                out.append(_placeholder("".join(out)[-80:], sql[start : mark.start()]))
                end = mark.end()
    return "".join([*out, sql[end:]])


def _placeholder(before: str, written: str) -> str:
    words = re.sub(r"/\*.*?\*/", " ", written).split()
    first = words[0].lower() if words else ""
    if first in ("select", "with"):
        return " select * from engine_query "
    if first in ("cross", "lateral", "left", "inner", "join"):
        return " cross join engine_relation "
    if re.search(r"\bcast\([^()]*\bas\s*$|\bas\s*$", before) and len(words) <= 4:
        return " engine_type "
    return " engine_value() " if words else " "


def _nodes(sql: str, engine: str) -> Iterator[Any]:
    for statement in sqlglot.parse(sql, read=engine):
        if statement is not None:
            yield from statement.walk()


def _calls(node: Any, kind: str) -> bool:
    """Whether this is a call of a function that sqlglot knows no kind of, by a name of that kind."""
    if not isinstance(node, exp.Anonymous):
        return isinstance(node, exp.Localtimestamp) and kind == "clock"
    called = _CALL.fullmatch(str(node.this).lower())
    return called is not None and called.lastgroup is not None and called[kind] is not None


def _said(node: Any) -> str:
    text = " ".join(node.sql(dialect="postgres").split())
    return text if len(text) <= 60 else text[:57] + "…"


def _reason(error: SqlglotError) -> str:
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())[:200]


def _unquoted(sql: str) -> str:
    return re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", "''", sql, flags=re.DOTALL)
