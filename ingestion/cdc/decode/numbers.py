"""Decimals as Kafka Connect writes them: their digits as bytes, in base64.

Belongs here: from base64 to a number, and a number's digits as text. Does not belong here: what a column
can hold (`types`), whether a text is base64 at all (`decimals`).
"""

import base64
import binascii
from decimal import Decimal

_NUMERIC_DIGITS = 131_072


def unscaled(text: str, scale: int) -> Decimal:
    """Big-endian two's complement in base64, shifted by the scale."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("neither a decimal nor its base64") from error
    if not raw:
        raise ValueError("an empty decimal")
    if len(raw) > 4096:
        raise ValueError("a decimal of more than 4096 bytes")
    number = int.from_bytes(raw, "big", signed=True)
    sign, digits = (1, str(-number)) if number < 0 else (0, str(number))
    return Decimal((sign, tuple(map(int, digits)), -scale))


def plain_text(number: Decimal) -> str:
    """All its digits, without an exponent."""
    if abs(number.adjusted()) > _NUMERIC_DIGITS // 10:
        raise ValueError("a number out of range")
    return format(number, "f")
