"""Finds personal data and secrets in free fields, by the key's name and by the value's pattern.

What identifies a person becomes a token (people stay countable), what must never be kept becomes
"[removed]". Belongs here: judging keys and values. Does not belong here: the tokens (`tokens`), what
a contract declares about a property (`event_types`).
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ingestion.privacy.numbers import (
    is_bsn,
    is_forbidden_number,
    is_iban,
    is_mobile,
    is_personal_number,
    is_social_security,
)
from ingestion.privacy.tokens import EMAIL, Tokeniser, ip_subnet, looks_personal

REMOVED = "[removed]"
TOO_DEEP = "[too deep]"
MAX_DEPTH = 64
SUBURB_DIGITS = 2  # of a coordinate in degrees: a square of a kilometre

KEEP, REMOVE, TOKEN, SUBNET, ROUND, ID = "keep", "remove", "token", "subnet", "round", "id"

_SECRET = re.compile(
    r"(?:.*_)?(?:pass(?:word|wd|phrase|code)s?|pwd|secrets?|token|api_?key|private_key|access_key"
    r"|secret_key|auth|authorization|credentials?|cookie|jwt|bearer|otp|cvv|cvc|csrf|signature"
    r"|card_?(?:number|no)|credit_?card|iban|bank_account|account_number)"
    r"|.*(?:password|passwd|passphrase|client_secret).*"
)
_NATIONAL = re.compile(
    r"(?:.*_)?(?:id_?(?:number|nr|no)|national_id(?:entity)?(?:_number)?|identity_?(?:number|no)"
    r"|ssn|social_security(?:_number)?|bsn(?:_?(?:number|nummer))?|burgerservicenummer|sofi_?nummer"
    r"|passport(?:_?(?:number|no))?|(?:tax|vat)_?(?:number|id|no)|btw_?nummer|(?:sa|rsa|za)_id(?:_number)?"
    r"|drivers?_licen[cs]e(?:_?(?:number|no))?|dob|date_of_birth|birth_?da(?:te|y)"
    r"|(?:(?:home|street|postal|residential|billing|shipping)_)?address(?:_line)?(?:_?\d)?|street)"
)
_PERSON = re.compile(
    r"(?:.*_)?(?:e_?mail(?:_?address)?|phone(?:_?(?:number|no))?|telephone(?:_number)?|telefoon(?:nummer)?"
    r"|msisdn|whatsapp(?:_number)?|cell_?phone|cell_?number|mobile(?:_?(?:phone|number|no))?"
    r"|(?:first|last|full|given|family|middle|sur|maiden|nick|display|legal)_?name|screen_name|user_?name"
    r"|(?:customer|client|guest|contact|employee|patient|member|payer|recipient|sender|holder|cardholder|owner"
    r"|driver|guard|reader|coach|student|person|account_holder|billing|shipping)_name|voornaam|achternaam)"
)
_DEVICE = re.compile(
    r"(?:.*_)?(?:device_?(?:id|uuid|identifier|fingerprint|serial)|udid|imei|imsi|meid|iccid|idfa|idfv|gaid|aaid"
    r"|adid|gps_ad_?id|android_?id|ad(?:vertising)?_?id(?:entifier)?|oaid|ssaid|mac(?:_?addr(?:ess)?)?"
    r"|browser_fingerprint|fcm_tokens?|apns_tokens?|hardware_id|installation_id)"
)
_NETWORK = re.compile(
    r"(?:.*_)?(?:ip|ip_?v?[46]?_?addr(?:ess)?|ipv[46]|remote_addr|x_forwarded_for|client_ip|host_ip)"
)
_COORDINATE = re.compile(
    r"(?:.*_)?(?:lat|lng|lon|long|latitude|longitude|coordinates?|geo|geo_?point|lat_?lng|gps)"
)
_NAME_OF = re.compile(  # what a plain `name` inside of is a person's
    r"(?:.*_)?(?:|users?|persons?|people|customers?|clients?|guests?|contacts?|employees?|patients?|members?|payers?"
    r"|recipients?|senders?|holders?|cardholders?|owners?|drivers?|guards?|readers?|coach(?:es)?|students?|profiles?"
    r"|billing(?:_details)?|shipping(?:_details)?|leads?|attendees?|participants?|authors?|me|who|traits)"
)
_PERSONS_ID = re.compile(
    r"(?:.*_)?(?:user|person|customer|client|guest|contact|employee|patient|member|payer|recipient|sender|owner"
    r"|driver|guard|reader|coach|student|actor|author|distinct|anonymous|profile)_?id"
)
_ID_LIKE = re.compile(r".*(?:_id|id|_key|_ref|_number|_no|_code|_hash|_at|time|timestamp)\Z")
_VERSION = re.compile(r"(?:.*_)?(?:version|build|release|firmware)")

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# what any text with something to find in it has at least
_SUSPICIOUS = re.compile(
    r"@|%(?:25)*40|\d(?:[ ().\-]{0,2}\d){7}|://|[?&][\w.\-\[\]]+=|\d\.\d{1,3}\.\d|:[0-9a-fA-F]{0,4}:"
    r"|[0-9a-fA-F]{2}-[0-9a-fA-F]{2}-[0-9a-fA-F]{2}-|[A-Za-z]{2}\d\d ?[A-Za-z0-9]{4}|\d\.\d{3,}[ ,;]"
    r"|eyJ|_live_|_test_|whsec_|AKIA|gh[ps]_|earer "
)
_CREDENTIAL = re.compile(
    r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|\b[rsp]k_(?:live|test)_\w+|\bwhsec_\w+|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[ps]_\w{20,}|[Bb]earer\s+[\w.~+/=-]{8,}"
)
_DIGITS = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().\-]{0,2}\d){7,18}(?!\w)")
_ENCODED_EMAIL = re.compile(
    r"(?:[\w.+'-]|%[0-9a-fA-F]{2}){1,64}?%(?:25)*40[\w-]{1,63}(?:(?:\.|%(?:25)*2[eE])[\w-]{1,63}){1,8}"
)
_IBAN = re.compile(
    r"(?<![\w-])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?(?!\w)"
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)", re.ASCII)
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)"
    r"(?:[0-9a-fA-F:]{2,30}:(?:\d{1,3}\.){3}\d{1,3}(?!\w)|[0-9a-fA-F:]{2,39}(?![\w:]|\.\d))"
)
_MAC = re.compile(r"(?<![\w:-])(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}(?![\w:-])")
_USER_OF_URL = re.compile(r"(?<=://)[^/?#\s@]{1,200}@")
_QUERY = re.compile(r"([?&;#])([\w.\-\[\]%]{1,100})=([^&;#\s\"'<>]*)")
_HARMLESS_QUERY = re.compile(
    r"utm_(?:source|medium|campaign|term|content|id)|page|per_page|limit|offset|sort|order|dir|lang|locale|hl|tab|view"
    r"|v|version|plan|currency|step|ref|source|medium|campaign|category|filter|format|theme"
)
_POSITION = re.compile(r"(?<![\w.])(-?\d{1,3}\.\d{3,})([ ]?[,; ][ ]?)(-?\d{1,3}\.\d{3,})(?![\w.])")
_AMERICAN_PHONE = re.compile(
    r"(?<![\w.-])\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[ .-]\d{4}(?![\w-])", re.ASCII
)
_DEGREES = re.compile(r"-?\d{1,3}\.\d+", re.ASCII)
_NAME = re.compile(r"[\w$:/.#|-]{1,100}", re.ASCII)
_TOKEN = re.compile(r"\btok_[0-9a-zA-Z_-]{8}")


class TooDeep(Exception):
    """A record nested deeper than anything meaningful."""


def snake_case(key: str) -> str:
    """A name in lower case with underscores, however it was written."""
    return _HUMP.sub("_", key[:100]).lower().replace("-", "_").replace(" ", "_").replace(".", "_")


def judge_key(key: str) -> str:
    """What a property's name says about its value: keep, remove, token, subnet, round or id."""
    snake = snake_case(key)
    if _DEVICE.fullmatch(snake):
        return TOKEN
    if _SECRET.fullmatch(snake) or _NATIONAL.fullmatch(snake):
        return REMOVE
    if _NETWORK.fullmatch(snake):
        return SUBNET
    if _COORDINATE.fullmatch(snake):
        return ROUND
    if _PERSONS_ID.fullmatch(snake):
        return ID
    return TOKEN if _PERSON.fullmatch(snake) else KEEP


def is_of_person(parent: str) -> bool:
    """Whether a plain `name` in an object of this name is a person's: it is where nothing says of what."""
    return _NAME_OF.fullmatch(snake_case(parent)) is not None


def suspicious(text: str) -> bool:
    """Whether a text is worth a closer look; cheap, and never wrong in saying no."""
    return _SUSPICIOUS.search(text) is not None


class Scrubber:
    """Applies judgement to values of a product; remembers what it thought of each key."""

    def __init__(self, tokeniser: Tokeniser, product: str = "") -> None:
        self._tokeniser, self._product = tokeniser, product
        self._judged: dict[str, str] = {}

    def judge(self, key: str) -> str:
        verdict = self._judged.get(key)
        if verdict is None:
            if len(self._judged) > 50_000:
                self._judged.clear()
            verdict = self._judged[key] = judge_key(key)
        return verdict

    def value(
        self, key: str, value: Any, tenant_id: str, depth: int = 0, parent: str | None = None
    ) -> Any:
        """One value under its key, made fit to be stored. `parent` is the object it stands in: the empty name
        for properties, None where a plain `name` is a column of its own."""
        verdict = self.judge(key)
        if verdict is KEEP and key == "name" and parent is not None and is_of_person(parent):
            verdict = TOKEN
        if verdict is not KEEP:
            return self.by_verdict(verdict, value, tenant_id, depth, key)
        if isinstance(value, str):
            return self.text(value, tenant_id, key) if suspicious(value) else value
        if isinstance(value, dict):
            return self.mapping(value, tenant_id, depth + 1, key)
        if isinstance(value, list):
            if depth > MAX_DEPTH:
                raise TooDeep
            return [self.value(key, item, tenant_id, depth + 1) for item in value]
        if isinstance(value, int) and value >= 10**12 and is_forbidden_number(str(value)):
            return REMOVED
        return value

    def mapping(
        self, values: dict[str, Any], tenant_id: str, depth: int = 0, parent: str = ""
    ) -> dict[str, Any]:
        """Every value of a mapping called `parent`; a key that is itself a person's becomes a token."""
        if depth > MAX_DEPTH:
            raise TooDeep
        return {
            self.key(key, tenant_id): self.value(key, value, tenant_id, depth, parent)
            for key, value in values.items()
        }

    def key(self, key: str, tenant_id: str | None) -> str:
        """A key as it may be stored: what names a person in it is a token."""
        if not suspicious(key):
            return key
        return self._token(tenant_id, key) if is_personal_number(key) else self.text(key, tenant_id)

    def by_verdict(  # noqa: PLR0911
        self, verdict: str, value: Any, tenant_id: str, depth: int = 0, parent: str = ""
    ) -> Any:
        """A value whose key (or contract) already says what must happen. Flags carry no secret."""
        if value is None or isinstance(value, bool) or value == "":
            return value
        if verdict == REMOVE:
            return REMOVED
        if isinstance(value, dict):
            return self.mapping(value, tenant_id, depth + 1, parent)
        if isinstance(value, list):
            return [self.by_verdict(verdict, item, tenant_id, depth + 1, parent) for item in value]
        if verdict == SUBNET:
            return ip_subnet(str(value))
        if verdict == ROUND:
            return self._rounded(value, tenant_id)
        if verdict == ID:
            return self._id(value, tenant_id, parent)
        text = str(value)
        return text if text.startswith("tok_") else self._tokeniser.token(tenant_id, text)

    def text(self, text: str, tenant_id: str | None, key: str = "") -> str:
        """A free text without credentials, national ids, cards and accounts; people and devices in it as
        tokens, addresses of networks cut, positions as of a suburb."""

        def token(match: re.Match[str]) -> str:
            return self._token(tenant_id, match[0])

        text = _CREDENTIAL.sub(REMOVED, text)
        if "://" in text or "=" in text:
            text = _USER_OF_URL.sub("", text)
            text = _QUERY.sub(_without_value, text)
        text = self.addresses(text, tenant_id)
        if text.count(":") > 1 or text.count("-") > 4:
            text = _IPV6.sub(_subnet, _MAC.sub(token, text))
        if text.count(".") > 1:
            if text.count(".") > 2 and not _VERSION.fullmatch(snake_case(key)):
                text = _IPV4.sub(_subnet, text)
            text = _POSITION.sub(_suburb, text)
        text = _IBAN.sub(_without_iban, text)
        return _DIGITS.sub(self._digits(tenant_id, key), _AMERICAN_PHONE.sub(token, text))

    def addresses(self, text: str, tenant_id: str | None) -> str:
        """A text with its e-mail addresses as tokens, and nothing else."""
        if "%" in text:
            text = _ENCODED_EMAIL.sub(lambda match: self._unquoted(tenant_id, match[0]), text)
        if "@" in text:
            text = EMAIL.sub(lambda match: self._token(tenant_id, match[0]), text)
        return text

    def _digits(self, tenant_id: str | None, key: str) -> Callable[[re.Match[str]], str]:
        """What becomes of a row of digits in a text under this key."""
        is_id_like = _ID_LIKE.match(key.lower()) is not None

        def judged(match: re.Match[str]) -> str:
            found = match[0]
            bare = re.sub(r"\D", "", found)
            if is_forbidden_number(bare) or is_social_security(found):
                return REMOVED
            if found.startswith("+"):
                return self._token(tenant_id, found)
            if found.count(".") == 1:
                return found
            if is_id_like:
                is_whole = found == match.string.strip() and len(bare) != 9
                return (
                    self._token(tenant_id, found)
                    if is_whole and is_personal_number(found)
                    else found
                )
            if len(bare) == 9 and is_bsn(bare):
                return REMOVED
            is_phone = (bare[0] == "0" and 9 <= len(bare) <= 15) or is_mobile(bare)
            return self._token(tenant_id, found) if is_phone else found

        return judged

    def _id(self, value: Any, tenant_id: str, key: str) -> Any:
        """The id of a person: keyed as where the envelope says who it was, so that both are one."""
        source_id = str(value)
        keyed = self._tokeniser.keyed_id(self._product, tenant_id, source_id)
        if keyed != source_id:
            return keyed
        return (
            self.text(value, tenant_id, key) if type(value) is str and suspicious(value) else value
        )

    def _token(self, tenant_id: str | None, found: str) -> str:
        return self._tokeniser.token(tenant_id, found) if tenant_id else REMOVED

    def _unquoted(self, tenant_id: str | None, found: str) -> str:
        """The token of an e-mail address in a URL, which is that of the address."""
        plain = found
        while "%" in plain and (once := unquote(plain)) != plain:
            plain = once
        return EMAIL.sub(lambda match: self._token(tenant_id, match[0]), plain)

    def _rounded(self, value: Any, tenant_id: str) -> Any:
        """Degrees as of a suburb; what is no coordinate is a text as any other."""
        found = of_suburb(value)
        if isinstance(found, str) and suspicious(found):
            return self.text(found, tenant_id)
        return found


def of_suburb(value: Any) -> Any:
    """Degrees as of a suburb, as a number or in a text; whatever is no fraction of a degree stays."""
    if isinstance(value, float):
        return round(value, SUBURB_DIGITS) + 0.0  # never -0, which the database writes as 0
    if isinstance(value, str):
        return _DEGREES.sub(lambda match: f"{of_suburb(float(match[0])):g}", value)
    return value


def _without_value(match: re.Match[str]) -> str:
    """A parameter of a URL; only of those that say nothing of anybody the value stays."""
    mark, name, value = match.groups()
    stays = not value or _HARMLESS_QUERY.fullmatch(name.lower()) is not None
    return match[0] if stays else f"{mark}{name}={REMOVED}"


def _subnet(match: re.Match[str]) -> str:
    if match[0].endswith(".0") and match.string.startswith("/24", match.end()):
        return match[0]  # a network already
    return ip_subnet(match[0]) or match[0]


def _suburb(match: re.Match[str]) -> str:
    first, between, second = match.groups()
    if abs(float(first)) > 180 or abs(float(second)) > 180:
        return match[0]
    return f"{round(float(first), SUBURB_DIGITS)}{between}{round(float(second), SUBURB_DIGITS)}"


def _without_iban(match: re.Match[str]) -> str:
    return REMOVED if is_iban(match[0]) else match[0]


def name_shown(text: str) -> str | None:
    """A text that has the form of a name or an id and of nothing else, as it may be shown where the
    rest of its record may not; None for any other."""
    return text if _NAME.fullmatch(text) and not suspicious_word(text) else None


def suspicious_word(text: str) -> bool:
    """As `suspicious`, of a text that is meant to be an id: digits alone do not count."""
    return suspicious(text) and (
        _CREDENTIAL.search(text) is not None
        or EMAIL.search(text) is not None
        or _ENCODED_EMAIL.search(text) is not None
        or any(is_forbidden_number(re.sub(r"\D", "", found)) for found in _DIGITS.findall(text))
        or is_personal_number(text)
        or looks_personal(text)
    )


def without_values(text: str) -> str:
    """A text that is meant to be a name; what is a person's, or a secret, is no name."""
    return REMOVED if suspicious_word(text) else text


def is_scrubbed(value: Any) -> bool:
    """Whether something may have been taken out of a value: it, or a part of it, stands for another."""
    if isinstance(value, str):
        return REMOVED in value or TOO_DEEP in value or _TOKEN.search(value) is not None
    if isinstance(value, dict):
        return any(map(is_scrubbed, value)) or any(map(is_scrubbed, value.values()))
    return isinstance(value, list) and any(map(is_scrubbed, value))
