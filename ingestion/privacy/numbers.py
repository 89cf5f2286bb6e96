"""Numbers whose own form says that they are a person's: cards, accounts, national ids, telephones, addresses.

A check digit or a fixed plan tells them from the numbers of orders; where none does, only the name of the field can.
Belongs here: what such a number looks like. Does not belong here: finding one in a text (`scrub`), what becomes of it.
"""

import re

_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6\d{15}"
)
_BIRTH = re.compile(r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}[01]\d{2}")
_SOCIAL_SECURITY = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", re.ASCII)
_NATIONAL_PHONE = re.compile(r"0[1-9]\d{7,10}|00[1-9]\d{9,13}", re.ASCII)
# mobile numbers as international plans have them, without the sign in front
_MOBILE = re.compile(
    r"27[6-8]\d{8}|316\d{8}|324\d{8}|336\d{8}|337\d{8}|447\d{9}|491[5-7]\d{8,9}|96[1]\d{7,8}|9715\d{8}|9665\d{8}",
    re.ASCII,
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
# how long an account's number is in each country; without it one in a hundred ids of letters and digits would pass
_LENGTHS = """
    NO15 BE16 DK18 FI18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 CH21 HR21 LI21 LV21
    BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24 ES24 MD24 PK24
    RO24 SA24 SE24 SK24 TN24 VG24 AO25 CV25 LY25 MZ25 PT25 ST25 IR26 IS26 TR26 BF28 BI27 BJ28 CI28 CM27 DJ27 DZ26
    FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HN28 HU28 LB28 NI28 PL28 SN28 SV28 BR29 EG29 PS29
    QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33 FK18 MG27 ML28 NE28 TG28 TD27 CF27 CG27 GA27 GQ27 GW25
    KM27 MA28
"""
_LENGTH_OF = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}
_DIGITS = re.compile(r"\(?\d[\d ().\-]{6,22}\d", re.ASCII)
_IPV4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}", re.ASCII)
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_BLANKS = re.compile(r"[ \-]")


def is_forbidden_number(digits: str) -> bool:
    """A South African id (13 digits, birth date, Luhn) or a payment card (brand prefix, Luhn)."""
    if len(digits) == 13 and _BIRTH.fullmatch(digits) and _luhn(digits):
        return True
    return _CARD.fullmatch(digits) is not None and _luhn(digits)


def is_bsn(digits: str) -> bool:
    """The Dutch eleven-test of a citizen service number of nine digits."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 == 0


def is_iban(text: str) -> bool:
    """The check of an account's number, in any grouping and case."""
    bare = _BLANKS.sub("", text).upper()
    if not _IBAN.fullmatch(bare) or len(bare) != _LENGTH_OF.get(bare[:2]):
        return False
    return int("".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4])) % 97 == 1


def is_mobile(digits: str) -> bool:
    """Digits alone that are a mobile number with its country's code."""
    return _MOBILE.fullmatch(digits) is not None


def is_social_security(text: str) -> bool:
    """A number of the United States' social security, with its hyphens."""
    return _SOCIAL_SECURITY.fullmatch(text) is not None


def is_personal_number(text: str) -> bool:
    """Whether an id is in truth the number of a person, an account or a device in a network."""
    if _DIGITS.fullmatch(text):
        digits = "".join(filter(str.isdigit, text))
        return (
            is_forbidden_number(digits)
            or is_mobile(digits)
            or _NATIONAL_PHONE.fullmatch(digits) is not None
            or (len(digits) == 9 and is_bsn(digits))
            or is_social_security(text)
            or _IPV4.fullmatch(text) is not None
        )
    return is_iban(text) or _MAC.fullmatch(text) is not None


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + position % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0
