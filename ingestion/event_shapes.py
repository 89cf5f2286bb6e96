"""Properties that differ from known ones in the digits of plain numbers only.

Most properties are new because of a number in them that says nothing to a contract: an id, a
duration. Such numbers are let through unread, once the parser has judged the same text with other
digits. Belongs here: when two texts have one shape. Does not belong here: judging (`event_plan`).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from ingestion.json_lines import encode

_SAME_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_DIGIT = re.compile(r"\d")
# Numbers that are written in one way, whatever their digits; a fraction must not end in zero.
_NUMBER = re.compile(r"(?:0|[1-9]\d{0,11})\Z|(?:0|[1-9]\d{0,8})\.\d{1,4}\Z")
_END_OF_FRACTION = re.compile(r"\.\d+(\d)")
_ZERO = ord("0")
LONGEST = 1_000  # characters of a text that is remembered


Reader = Callable[[bytes], str | None]


class _Shape(NamedTuple):
    members: Callable[[str], tuple[str, ...]] | None  # in the order of their names; None: as it is
    ends: tuple[int, ...]  # where a digit must not be zero


class Shapes:
    """The shapes of properties that are stored as they are said, by event name."""

    def __init__(self) -> None:
        self._known: dict[str, dict[bytes, _Shape]] = defaultdict(dict)
        self._readers: dict[str, Reader] = {}

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def reader(self, event_name: str) -> Reader:
        """What tells the canonical JSON of an event's properties; None for those of a new shape."""
        if event_name not in self._readers:
            self._readers[event_name] = self._reader(event_name)
        return self._readers[event_name]

    def _reader(self, event_name: str) -> Reader:
        shape_of = self._known[event_name].get

        def text_of(said: bytes) -> str | None:
            shape = shape_of(said.translate(_SAME_DIGIT))
            if shape is None:
                return None
            members, ends = shape
            for place in ends:
                if said[place] == _ZERO:
                    return None
            text = said.decode("ascii")
            return text if members is None else "{" + ",".join(members(text)) + "}"

        return text_of

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
        self._known[event_name][said.translate(_SAME_DIGIT)] = _Shape(order, ends)
        return True


def _is_open(value: Any) -> bool:
    """Whether all digits in a value belong to plain numbers."""
    if isinstance(value, dict):
        return not any(map(_DIGIT.search, value)) and all(map(_is_open, value.values()))
    if isinstance(value, list):
        return all(map(_is_open, value))
    if isinstance(value, str):
        return _DIGIT.search(value) is None
    return value is None or isinstance(value, bool) or _NUMBER.match(encode(value)) is not None
