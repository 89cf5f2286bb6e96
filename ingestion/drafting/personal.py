"""What looks like personal data: by a field's name, and by its values.

The loader's own scrubber is asked first; a draft adds what only a contract can decide: a bare
`name`, free texts, places where somebody lives. In doubt a field is marked, because a mark that is
wrong is seen and taken off, while a value that was stored is stored. Belongs here: the judgement and
its reason. Does not belong here: hiding values (`ingestion.privacy`).
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Literal

from ingestion.privacy.scrub import (
    ID,
    KEEP,
    ROUND,
    Scrubber,
    is_forbidden_number,
    judge_key,
    snake_case,
    suspicious,
)
from ingestion.privacy.tokens import EMAIL, PHONE, Tokeniser

Mark = Literal["token", "drop", "round"]

_SECRET = re.compile(
    r"(?:.*_)?(?:pass(?:word|wd|phrase|code)s?|pwd|secrets?|token|api_?key|private_key|access_key"
    r"|auth|authorization|credentials?|cookie|jwt|bearer|otp|cvv|cvc|csrf)(?:_hash|_digest)?|salt"
)
_PERSON = re.compile(
    r"(?:.*_)?(?:user_?name|nick_?name|login|display_name|contact_name|customer_name|guest_name"
    r"|client_name|employee_name|maiden_name|initials|fax|tel|mobile|whatsapp|iban|bic"
    r"|passport(?:_.*)?|id_card(?:_.*)?|ssn|vat_?id|birth.*|born(?:_.*)?|gender|sex|nationality"
    r"|religion|ethnicity|social_handle|signature_name|plate|licen[cs]e_plate)"
)
_PLACE = re.compile(
    r"(?:.*_)?(?:address.*|street.*|house_?(?:number|no)|post(?:al)?_?code|zip(?:_?code)?)"
)
_HOME = re.compile(r"(?:home|residence|residential|private)_.*")
_COORDINATE = re.compile(r"(?:.*_)?(?:lat|lon|lng|latitude|longitude|geo|location|coordinates)")
_FREE_TEXT = re.compile(
    r"(?:.*_)?(?:notes?|comments?|remarks?|body|message|journal|transcript|bio|biography|feedback"
    r"|description|details|content|free_?text|text|subject|title|summary|reason_text|answer|diary)"
)
_PEOPLE = re.compile(
    r"(?:.*_)?(?:users?|persons?|people|employees?|customers?|members?|contacts?|guests?|patients?"
    r"|leads?|coach(?:es)?|drivers?|guards?|clients?|staff|profiles?|readers?|contributors?"
    r"|candidates?|students?|participants?|attendees?|recipients?|accounts?|owners?)"
)
_BY_VALUE = (
    KEEP,
    ID,
    ROUND,
)  # names of which the loader keeps most values: others decide, or the values
_LONG_NUMBER = re.compile(r"\d{7}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}\Z")
_REASONS = {
    "email": "e-mail addresses among its values",
    "iban": "values are IBANs",
    "ip": "values are IP addresses",
    "phone": "values look like phone numbers",
    "number": "values pass the check of cards or national ids",
    "inside": "texts with personal data inside",
}


@dataclass(frozen=True)
class Verdict:
    """A mark and why, in words that hold no value. `round` is of a coordinate, where it is a number."""

    mark: Mark
    reason: str


def by_name(name: str, table: str = "") -> Verdict | None:
    """What a field's name says, within a table (or an event) of that name."""
    word = snake_case(name)
    found: tuple[Mark, str] | None = None
    if _SECRET.fullmatch(word):
        found = ("drop", "a secret, by its name")
    elif judge_key(name) not in _BY_VALUE or _PERSON.fullmatch(word):
        found = ("token", "personal by its name")
    elif _COORDINATE.fullmatch(word) and _HOME.fullmatch(word):
        found = ("round", "where somebody lives, by its name")
    elif _PLACE.fullmatch(word) or _HOME.fullmatch(word):
        found = ("token", "an address, by its name")
    elif _COORDINATE.fullmatch(word) and _PEOPLE.fullmatch(snake_case(table)):
        found = ("round", "in doubt: perhaps where somebody is")
    elif word == "name":
        about_people = _PEOPLE.fullmatch(snake_case(table))
        found = ("token", "a person's name" if about_people else "in doubt: perhaps of a person")
    elif _FREE_TEXT.fullmatch(word):
        found = ("drop", "in doubt: free text, by its name")
    return Verdict(*found) if found else None


class ValueJudge:
    """What the values of one field say; counts only, no value is kept."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._counts = dict.fromkeys(_REASONS, 0)
        self._texts = 0

    def add(self, value: Any) -> None:
        """One more value; of a list each item."""
        if isinstance(value, list):
            for item in value:
                self.add(item)
        elif type(value) is str and value:
            self._texts += 1
            if kind := kind_of(value, self._name):
                self._counts[kind] += 1
        elif type(value) is int and value >= 10**12:
            self._texts += 1
            self._counts["number"] += is_forbidden_number(str(value))

    def verdict(self, prose: int) -> Verdict | None:
        """The mark of the field; `prose` is how many of its texts have four words and more."""
        for kind, reason in _REASONS.items():
            share = self._counts[kind] / self._texts if self._texts else 0
            if kind == "inside" and share:
                return Verdict("drop", reason)
            if kind in ("phone", "number") and share < 0.5:
                continue  # one in ten numbers passes such a check by chance
            if share:
                mark: Mark = "drop" if prose * 2 > self._texts else "token"
                return Verdict(mark, reason)
        if self._texts and prose * 4 >= self._texts:
            return Verdict("drop", "in doubt: texts of several words")
        return None


def kind_of(text: str, name: str = "") -> str | None:  # noqa: PLR0911
    """The kind of personal data that a text is or holds."""
    bare = text.strip()
    if "@" in bare and EMAIL.search(bare):
        return "email"
    if _is_iban(bare):
        return "iban"
    if _is_address(bare):
        return "ip"
    digits = re.sub(r"[ ().\-]", "", bare)
    if digits.isdigit() and is_forbidden_number(digits):
        return "number"
    if PHONE.fullmatch(bare) and (bare[0] == "+" or bare.startswith(("0", "(0"))):
        return "phone"
    if " " in bare and suspicious(bare) and _SCRUBBER.text(bare, None, name) != bare:
        return "inside"
    return None


def is_data_not_a_name(key: str) -> bool:
    """Whether a key of an object is itself a value (an e-mail address, a number), not a name."""
    holds_data = "@" in key or _LONG_NUMBER.search(key) or _SCRUBBER.text(key, None) != key
    return bool(holds_data) or kind_of(key) is not None or len(key) > 100


def _is_iban(text: str) -> bool:
    bare = text.replace(" ", "").upper()
    if not _IBAN.match(bare):
        return False
    rearranged = bare[4:] + bare[:4]
    return int("".join(str(int(letter, 36)) for letter in rearranged)) % 97 == 1


def _is_address(text: str) -> bool:
    if text.count(".") != 3 and text.count(":") < 2:
        return False
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


_SCRUBBER = Scrubber(Tokeniser(bytes(32)))  # only asked whether it would change a text
