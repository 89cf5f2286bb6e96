"""How a stream writes its decimals, where no schema says it: as base64 of their digits, or as text.

`1234` is both. A connector writes all its decimals alike (`decimal.handling.mode`), so what reads one
way only tells of the others; a contract can say it (`encoding: base64` or `text`). Where nothing tells,
a number's text is a number. Belongs here: that judgement. Does not belong here: decoding (`types`).
"""

import re

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
_BOTH_WAYS = re.compile(r"(?:[0-9+]{4})+\Z", re.ASCII)


class DecimalForms:
    """What was seen of a product's decimals so far. `is_text` of a value that reads both ways counts it
    in `unsure` while nothing tells."""

    def __init__(self) -> None:
        self.has_base64 = False
        self.has_text = False
        self.unsure = 0

    def is_text(self, value: str) -> bool:
        """Whether a text is a number as it stands, rather than the base64 of one."""
        if not NUMBER.match(value):
            self.has_base64 = True
            return False
        if not reads_both_ways(value):
            self.has_text = True
            return True
        if self.has_base64 and not self.has_text:
            return False
        self.unsure += not self.has_text
        return True


def reads_both_ways(value: str) -> bool:
    """Whether a number's text is base64 too."""
    return _BOTH_WAYS.match(value) is not None
