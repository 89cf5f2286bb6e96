"""YAML as a person would write it: comments, short mappings on one line, quotes only where needed.

Belongs here: scalars, flow mappings, comments. Does not belong here: what is said.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

_UNSAFE = re.compile(r"[^\S ]+|[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]+")


class _Text(yaml.SafeDumper):
    """Without anchors, on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def scalar(value: Any) -> str:
    """One value on one line, quoted where YAML needs it."""
    text = _dump(value, None)
    if "\n" in text and isinstance(value, str):
        text = _dump(value, '"')
    return text


def _dump(value: Any, style: str | None) -> str:
    text = yaml.dump(
        value, Dumper=_Text, default_flow_style=True, width=1 << 30, allow_unicode=True,
        sort_keys=False, default_style=style,
    )  # fmt: skip
    return str(text).removesuffix("\n").removesuffix("\n...")


def flow(fields: Mapping[str, Any]) -> str:
    """`{type: text, personal: token}`."""
    return scalar(dict(fields))


def words(items: Iterable[str]) -> str:
    """`[a, b]`."""
    return scalar(list(items))


def comment(text: str) -> str:
    """A comment's text at the end of a line, or nothing."""
    return f"  # {on_one_line(text)}" if text else ""


def on_one_line(text: str) -> str:
    """Text that may stand in a comment."""
    return _UNSAFE.sub(" ", text)
