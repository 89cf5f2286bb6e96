"""Properties that differ from known ones in the digits of plain numbers only.

Most properties are new because of a number in them that says nothing to a contract: an id, a
duration. Such numbers are let through unread, once the parser has judged the same text with other
digits. Belongs here: when two texts have one shape. Does not belong here: judging (`event_types`).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from ingestion.values.arrow import alike
from ingestion.values.json_lines import encode

_DIGIT = re.compile(r"\d")
# Numbers that are written in one way, whatever their digits; a fraction must not end in zero.
_NUMBER = re.compile(r"(?:0|[1-9]\d{0,11})\Z|(?:0|[1-9]\d{0,8})\.\d{1,4}\Z")
_END_OF_FRACTION = re.compile(r"\.\d+(\d)")
LONGEST = 1_000  # characters of a text that is remembered


class _Shape(NamedTuple):
    members: Callable[[str], tuple[str, ...]] | None  # in the order of their names; None: as it is
    ends: tuple[int, ...]  # where a digit must not be zero

    def text(self, said: str) -> str | None:
        """The canonical JSON of a text of this shape; None where its digits forbid it."""
        for place in self.ends:
            if said[place] == "0":
                return None
        return said if self.members is None else "{" + ",".join(self.members(said)) + "}"


_AS_IT_IS = _Shape(None, ())


class PropertyShapes:
    """The shapes of properties that are stored as they are said, by event name."""

    def __init__(self) -> None:
        self._known: dict[str, dict[bytes, _Shape]] = defaultdict(dict)

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def text(self, event_name: str, said: bytes) -> str | None:
        """The canonical JSON of an event's properties; None for those of a new shape."""
        shape = self._known[event_name].get(alike(said))
        return None if shape is None else shape.text(said.decode("ascii"))

    def texts(
        self,
        event_names: Mapping[str, str],
        names: Sequence[Any],
        said: Sequence[bytes | msgspec.Raw],
    ) -> list[str | None]:
        """`text` of many, none of which holds a line's end; item i of each part is one event's.

        `event_names` tells what a name among `names` stands for; others stand for nothing.
        """
        shapes_of = {name: self._known[own].get for name, own in event_names.items()}.get
        joined = b"\n".join(said)
        masked = alike(joined).split(b"\n")
        shapes = [
            shapes_of(name, _no_shape)(text) for name, text in zip(names, masked, strict=True)
        ]
        texts = joined.decode("latin-1").split("\n")  # those of a known shape are ASCII
        return [
            text if shape is _AS_IT_IS else None if shape is None else shape.text(text)
            for shape, text in zip(shapes, texts, strict=True)
        ]

    def learn(self, event_name: str, said: bytes, properties: Mapping[str, Any]) -> bool:
        """Remember the shape of properties that are stored unchanged, whatever the digits of their
        numbers; False where digits may matter to what reads them."""
        if len(said) > LONGEST or not said.isascii():
            return False
        members = {key: f"{encode(key)}:{encode(value)}" for key, value in properties.items()}
        text = said.decode("ascii")
        if "{" + ",".join(members.values()) + "}" != text or not _is_open(properties):
            return False
        slices, start = {}, 1
        for key, member in members.items():
            slices[key] = slice(start, start + len(member))
            start += len(member) + 1
        names = sorted(members)
        is_sorted = names == list(members)
        order = None if is_sorted else itemgetter(*(slices[name] for name in names))
        ends = tuple(found.start(1) for found in _END_OF_FRACTION.finditer(text))
        shape = _Shape(order, ends) if order or ends else _AS_IT_IS
        self._known[event_name][alike(said)] = shape
        return True


def _no_shape(_: bytes) -> None:
    """Finds the shapes of events whose names were not heard of yet."""


def _is_open(value: Any) -> bool:
    """Whether all digits in a value belong to plain numbers."""
    if isinstance(value, dict):
        return not any(map(_DIGIT.search, value)) and all(map(_is_open, value.values()))
    if isinstance(value, list):
        return all(map(_is_open, value))
    if isinstance(value, str):
        return _DIGIT.search(value) is None
    return value is None or isinstance(value, bool) or _NUMBER.match(encode(value)) is not None
