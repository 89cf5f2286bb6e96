"""Finding fields in a record by the paths a contract names.

A path is a key or keys joined by dots; a flat record may also have the dots in its key. Belongs
here: compiling paths and conditions to fast functions. Does not belong here: what the values mean.
"""

import re
from collections.abc import Callable, Mapping
from operator import methodcaller
from typing import Any

from ingestion.contracts.mapping import Condition, FieldMap

Record = Mapping[str, Any]
Getter = Callable[[Record], Any]


def by_path(path: str) -> Getter:
    """A function that gives the value at a path, or None."""
    if "." not in path:
        return methodcaller("get", path)
    first, *rest = path.split(".")
    last = rest[-1]

    def walk(record: Record) -> Any:
        value: Any = record.get(first)
        if value is None:
            return record.get(path)
        for key in rest:
            if type(value) is not dict:
                return None
            value = value.get(key)
        return value

    def step(record: Record) -> Any:
        value = record.get(first)
        if type(value) is dict:
            return value.get(last)
        return record.get(path) if value is None else None

    return step if len(rest) == 1 else walk


def getter(field: FieldMap | None) -> Getter | None:
    """The value of a mapped field: by the first case that is met, else the first path that is not
    null (or all of them, joined), translated as declared."""
    if field is None or field.content:
        return None
    found = _by_paths(field)
    constant, words, prefix = field.constant, field.values, field.prefix
    if constant is not None or words is not None or prefix:
        plain = found

        def found(record: Record) -> Any:
            value = plain(record)
            if value is None:
                return constant
            if words is not None:
                value = words.get(str(value), value)
            return f"{prefix}{value}" if prefix else value

    return _by_cases(field, found) if field.cases else found


def _by_paths(field: FieldMap) -> Getter:
    getters = [by_path(path) for path in field.paths()]
    if not getters:
        return itemgetter_none
    if len(getters) == 1:
        return getters[0]
    mark = field.join
    if mark is None:
        return lambda record: next(
            (value for get in getters if (value := get(record)) is not None), None
        )

    def joined(record: Record) -> str | None:
        values = [get(record) for get in getters]
        if all(value is None for value in values):
            return None
        return mark.join("" if value is None else str(value) for value in values)

    return joined


def _by_cases(field: FieldMap, otherwise: Getter) -> Getter:
    cases = [(condition(case), case.then) for case in field.cases]

    def decided(record: Record) -> Any:
        for is_met, then in cases:
            if is_met(record):
                return then
        return otherwise(record)

    return decided


def condition(asked: Condition) -> Callable[[Record], bool]:
    """Whether a record meets a condition."""
    get = by_path(asked.path)
    if asked.is_missing is not None:
        wanted = asked.is_missing
        return lambda record: (get(record) in (None, "")) is wanted
    if asked.matches is not None:
        search = re.compile(asked.matches).search
        return lambda record: (text := _text(get(record))) is not None and search(text) is not None
    values = asked.equals if isinstance(asked.equals, tuple) else (asked.equals,)
    texts = frozenset(_text(value) for value in values)
    return lambda record: (text := _text(get(record))) is not None and text in texts


def _text(value: Any) -> str | None:
    """A plain value as text, the same one for a column of a CSV and a field of JSON."""
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) in (str, int, float) else None


def itemgetter_none(record: Record) -> None:
    """The value of a field that has a constant and no path."""


def top_level(paths: list[str]) -> set[str]:
    """The top-level keys that a list of paths uses (with flat spellings of dotted ones)."""
    return {part for path in paths for part in (path, path.split(".", 1)[0])}


def containers(paths: list[str], whole: set[str]) -> list[tuple[str, frozenset[str]]]:
    """The objects that dotted paths reach into, each with the keys used of it."""
    used: dict[str, set[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        if rest and first not in whole:
            used.setdefault(first, set()).add(rest.split(".", 1)[0])
    return [(key, frozenset(names)) for key, names in used.items()]
