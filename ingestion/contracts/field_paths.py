"""Finding fields in a record by the paths a contract names.

A path is a key or keys joined by dots; a flat record may also have the dots in its key. Belongs
here: compiling paths to fast functions. Does not belong here: what the values mean.
"""

from collections.abc import Callable, Mapping
from operator import methodcaller
from typing import Any

from ingestion.contracts.model import FieldMap

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
    """The value of a mapped field: the first path that is not null, translated as declared."""
    if field is None:
        return None
    getters = [by_path(path) for path in field.paths()]
    found: Getter
    if not getters:
        found = itemgetter_none
    elif len(getters) == 1:
        found = getters[0]
    else:
        found = lambda record: next(  # noqa: E731
            (value for get in getters if (value := get(record)) is not None), None
        )
    constant, words, prefix = field.constant, field.values, field.prefix
    if constant is None and words is None and not prefix:
        return found

    def translated(record: Record) -> Any:
        value = found(record)
        if value is None:
            return constant
        if words is not None:
            value = words.get(str(value), value)
        return f"{prefix}{value}" if prefix else value

    return translated


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
