"""What of the contracts decides how a file is read, to be remembered with it and compared later.

Belongs here: a form's fingerprint, and what differs between two forms, in words. Does not belong
here: which contract reads a file (`Source.form`), where forms are kept (`storing.readings`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import orjson

_TOLD = 4  # differences that are told one by one
_ABSENT = object()


@dataclass(frozen=True)
class Form:
    """What decides how the records of a file are read. Each of the `parts` (a table, an event, an
    account) concerns its own records alone, `whole` all of them; descriptions are in neither."""

    name: str  # where a person finds it, e.g. events/upcoach
    whole: Mapping[str, Any]
    parts: Mapping[str, Any]

    @cached_property
    def text(self) -> str:
        """The form as JSON."""
        body = {"name": self.name, "whole": self.whole, "parts": self.parts}
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()

    @cached_property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]


class Difference(NamedTuple):
    """What two forms do not have in common. `parts` are those that differ; None: all may."""

    parts: frozenset[str] | None
    words: str


def difference(before: Form, now: Form) -> Difference:
    """What a contract says otherwise than it did, e.g. `goals.columns.done.type was text, is date`."""
    names = before.parts.keys() | now.parts.keys()
    parts = frozenset(n for n in names if before.parts.get(n) != now.parts.get(n))
    told = [
        *_changes("", before.whole, now.whole),
        *(text for name in sorted(parts)
          for text in _changes(name, before.parts.get(name, _ABSENT),
                               now.parts.get(name, _ABSENT))),
    ]  # fmt: skip
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    is_whole = before.whole != now.whole or before.name != now.name
    return Difference(None if is_whole else parts, "; ".join(told[:_TOLD]) + more)


def _changes(path: str, before: Any, now: Any) -> Iterator[str]:
    """One text per place that differs."""
    if before == now:
        return
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in sorted({*before, *now}):
            inner = f"{path}.{name}" if path else str(name)
            yield from _changes(inner, before.get(name, _ABSENT), now.get(name, _ABSENT))
    elif before is _ABSENT:
        yield f"{path} is {_short(now)}, was not named"
    elif now is _ABSENT:
        yield f"{path} was {_short(before)}, is no longer named"
    else:
        yield f"{path} was {_short(before)}, is {_short(now)}"


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}…"
