"""Finds personal data and secrets in free fields, by the key's name and by the value's pattern.

What identifies a person becomes a token (people stay countable), what must never be kept becomes
"[removed]". Belongs here: judging keys and values. Does not belong here: the tokens (`tokens`), what
a contract declares about a property (`event_types`).
"""

import re
from typing import Any

from ingestion.privacy.tokens import EMAIL, Tokeniser, ip_subnet

REMOVED = "[removed]"
TOO_DEEP = "[too deep]"
MAX_DEPTH = 64

KEEP, REMOVE, TOKEN, SUBNET = "keep", "remove", "token", "subnet"

_SECRET = re.compile(
    r"(?:.*_)?(?:pass(?:word|wd|phrase|code)s?|pwd|secrets?|token|api_?key|private_key|access_key"
    r"|secret_key|auth|authorization|credentials?|cookie|jwt|bearer|otp|cvv|cvc|csrf|signature"
    r"|card_?(?:number|no)|credit_?card|iban|bank_account|account_number)"
    r"|.*(?:password|passwd|passphrase|client_secret).*"
)
_NATIONAL = re.compile(
    r"(?:.*_)?(?:id_?(?:number|nr|no)|national_id(?:entity)?(?:_number)?|identity_?(?:number|no)"
    r"|ssn|social_security(?:_number)?|bsn(?:_?(?:number|nummer))?|burgerservicenummer|sofi_?nummer"
    r"|passport(?:_?(?:number|no))?|tax_?(?:number|id)|(?:sa|rsa|za)_id(?:_number)?"
    r"|drivers?_licen[cs]e(?:_?(?:number|no))?|dob|date_of_birth|birth_?da(?:te|y)"
    r"|(?:(?:home|street|postal|residential|billing|shipping)_)?address(?:_line)?(?:_?\d)?|street)"
)
_PERSON = re.compile(
    r"(?:.*_)?(?:e_?mail(?:_?address)?|phone(?:_?(?:number|no))?|telephone(?:_number)?|msisdn"
    r"|cell_?phone|mobile_?(?:phone|number|no)|(?:first|last|full|given|family|middle|sur)_?name"
    r"|mac_address|device_fingerprint)"
)
_NETWORK = re.compile(r"(?:.*_)?(?:ip|ip_?addr(?:ess)?|remote_addr)")
_ID_LIKE = re.compile(r".*(?:_id|id|_key|_ref|_number|_no|_code|_hash|_at|time|timestamp)\Z")

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SUSPICIOUS = re.compile(r"@|\d(?:[ ().\-]{0,2}\d){7}|eyJ|_live_|_test_|whsec_|AKIA|gh[ps]_|earer ")
_CREDENTIAL = re.compile(
    r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|\b[rsp]k_(?:live|test)_\w+|\bwhsec_\w+|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[ps]_\w{20,}|[Bb]earer\s+[\w.~+/=-]{8,}"
)
_DIGITS = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().\-]{0,2}\d){7,18}(?!\w)")
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6\d{15}"
)
_BIRTH = re.compile(r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}[01]\d{2}")
_NAME = re.compile(r"[\w$:/.#|-]{1,100}", re.ASCII)
_TOKEN = re.compile(r"\btok_[0-9a-zA-Z_-]{8}")


class TooDeep(Exception):
    """A record nested deeper than anything meaningful."""


def snake_case(key: str) -> str:
    """A name in lower case with underscores, however it was written."""
    return _HUMP.sub("_", key[:100]).lower().replace("-", "_").replace(" ", "_").replace(".", "_")


def judge_key(key: str) -> str:
    """What a property's name says about its value: keep, remove, token or subnet."""
    snake = snake_case(key)
    if _SECRET.fullmatch(snake) or _NATIONAL.fullmatch(snake):
        return REMOVE
    if _NETWORK.fullmatch(snake):
        return SUBNET
    return TOKEN if _PERSON.fullmatch(snake) else KEEP


def suspicious(text: str) -> bool:
    """Whether a text is worth a closer look; cheap, and never wrong in saying no."""
    return _SUSPICIOUS.search(text) is not None


class Scrubber:
    """Applies judgement to values; remembers what it thought of each key."""

    def __init__(self, tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser
        self._judged: dict[str, str] = {}

    def judge(self, key: str) -> str:
        verdict = self._judged.get(key)
        if verdict is None:
            if len(self._judged) > 50_000:
                self._judged.clear()
            verdict = self._judged[key] = judge_key(key)
        return verdict

    def value(self, key: str, value: Any, tenant_id: str, depth: int = 0) -> Any:
        """One value under its key, made fit to be stored."""
        verdict = self.judge(key)
        if verdict is not KEEP:
            return self.by_verdict(verdict, value, tenant_id, depth)
        if isinstance(value, str):
            return self.text(value, tenant_id, key) if suspicious(value) else value
        if isinstance(value, dict):
            return self.mapping(value, tenant_id, depth + 1)
        if isinstance(value, list):
            if depth > MAX_DEPTH:
                raise TooDeep
            return [self.value(key, item, tenant_id, depth + 1) for item in value]
        if isinstance(value, int) and value >= 10**12 and is_forbidden_number(str(value)):
            return REMOVED
        return value

    def mapping(self, values: dict[str, Any], tenant_id: str, depth: int = 0) -> dict[str, Any]:
        """Every value of a mapping; a key that is itself an e-mail address becomes its token."""
        if depth > MAX_DEPTH:
            raise TooDeep
        return {
            (self.text(key, tenant_id) if suspicious(key) else key): self.value(
                key, value, tenant_id, depth
            )
            for key, value in values.items()
        }

    def by_verdict(self, verdict: str, value: Any, tenant_id: str, depth: int = 0) -> Any:
        """A value whose key (or contract) already says what must happen. Flags carry no secret."""
        if value is None or isinstance(value, bool) or value == "":
            return value
        if verdict == REMOVE:
            return REMOVED
        if isinstance(value, dict):
            return self.mapping(value, tenant_id, depth + 1)
        if isinstance(value, list):
            return [self.by_verdict(verdict, item, tenant_id, depth + 1) for item in value]
        if verdict == SUBNET:
            return ip_subnet(str(value))
        text = str(value)
        return text if text.startswith("tok_") else self._tokeniser.token(tenant_id, text)

    def text(self, text: str, tenant_id: str | None, key: str = "") -> str:
        """A free text without credentials, national ids and cards; people in it as tokens."""

        def token(found: str) -> str:
            return self._tokeniser.token(tenant_id, found) if tenant_id else REMOVED

        def digits(match: re.Match[str]) -> str:
            found = match[0]
            bare = re.sub(r"\D", "", found)
            if is_forbidden_number(bare):
                return REMOVED
            if found.startswith("+"):
                return token(found)
            if _ID_LIKE.match(key.lower()) or found.count(".") == 1:
                return found
            if len(bare) == 9 and _is_bsn(bare):
                return REMOVED
            return token(found) if bare[0] == "0" and 9 <= len(bare) <= 13 else found

        text = _CREDENTIAL.sub(REMOVED, text)
        if "@" in text:
            text = EMAIL.sub(lambda match: token(match[0]), text)
        return _DIGITS.sub(digits, text)


def name_shown(text: str) -> str | None:
    """A text that has the form of a name or an id and of nothing else, as it may be shown where the
    rest of its record may not; None for any other."""
    return text if _NAME.fullmatch(text) and not suspicious_word(text) else None


def suspicious_word(text: str) -> bool:
    """As `suspicious`, of a text that is meant to be an id: digits alone do not count."""
    return suspicious(text) and (
        _CREDENTIAL.search(text) is not None
        or EMAIL.search(text) is not None
        or any(is_forbidden_number(re.sub(r"\D", "", found)) for found in _DIGITS.findall(text))
    )


def is_scrubbed(value: Any) -> bool:
    """Whether something may have been taken out of a value: it, or a part of it, stands for another."""
    if isinstance(value, str):
        return REMOVED in value or TOO_DEEP in value or _TOKEN.search(value) is not None
    if isinstance(value, dict):
        return any(map(is_scrubbed, value)) or any(map(is_scrubbed, value.values()))
    return isinstance(value, list) and any(map(is_scrubbed, value))


def is_forbidden_number(digits: str) -> bool:
    """A South African id (13 digits, birth date, Luhn) or a payment card (brand prefix, Luhn)."""
    if len(digits) == 13 and _BIRTH.fullmatch(digits) and _luhn(digits):
        return True
    return _CARD.fullmatch(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + position % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _is_bsn(digits: str) -> bool:
    """The Dutch eleven-test of a citizen service number."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 == 0
