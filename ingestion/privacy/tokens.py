"""Keyed tokens of personal data, and IP addresses cut to their network.

A token is an HMAC under a key of the tenant's own, which derives from a master key kept outside
the warehouse: without it nobody can test a guess, and one person in two tenants has two tokens.
Belongs here: turning one known personal value into what may be stored. Does not belong here:
finding personal data in free fields (`scrub`).
"""

import hashlib
import hmac
import ipaddress
import re
from urllib.parse import unquote

from ingestion.privacy.numbers import is_forbidden_number, is_personal_number
from ingestion.privacy.sealing import Sealer
from ingestion.values.identity import uuid_text

EMAIL = re.compile(r"[\w.+'%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"((?:{_OCTET}\.){{3}}){_OCTET}\Z")
_REMEMBERED = 20_000  # tokens
# what the id of a person in clear has at least; cheap, and never wrong in not being found
MAY_BE_PERSONAL = (
    r"@|%40|\+|%2[bB]|^\s*\(?[0-9][0-9 ().\-]{6,22}[0-9]\s*$"
    r"|^[A-Za-z]{2}[0-9]{2}|^(?:[0-9A-Fa-f]{2}[:-]){5}"
)
_MAY_BE_PERSONAL = re.compile(MAY_BE_PERSONAL)
MAY_NAME = r"[@%]|^\s*\+|^[0-9]{13,16}$|^[0-9]{19}$"
_MAY_NAME = re.compile(MAY_NAME)
_PHONE_INSIDE = re.compile(r"(?<![\w.])\+\(?\d[\d ().-]{6,20}\d(?!\w)")
PHONE = re.compile(r"\+?\(?\d[\d ().-]{7,20}\d")


class Tokeniser:
    """Makes tokens; remembers each tenant's key and the last tokens while it lives."""

    def __init__(self, master_key: bytes) -> None:
        self._master_key = master_key
        self._tenant_keys: dict[str, hmac.HMAC] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self.sealer = Sealer(master_key)

    def token(self, tenant_id: str, value: str) -> str:
        """`tok_` and 32 hex digits for a value within a tenant (UUID text)."""
        made = self._tokens.get((tenant_id, value))
        if made is None:
            if len(self._tokens) >= _REMEMBERED:
                self._tokens.clear()
            made = self._tokens[(tenant_id, value)] = self._make(tenant_id, value)
        return made

    def keyed_id(
        self, product: str, tenant_id: str, source_id: str, *, is_marked: bool = False
    ) -> str:
        """An id that a source gave, as it may be stored and turned into a UUID: a token where it names a
        person, by its form or because its contract says so (`is_marked`).

        What is or holds an e-mail address or a telephone number with its + (`auth0|ann@example.org`,
        `whatsapp:+27…`) is keyed for the tenant. A number that might as
        well be an ordinary one is keyed for the product, because it must meet itself in every source, and
        some do not know the tenant.
        """
        if _MAY_BE_PERSONAL.search(source_id) is not None:
            text = source_id.strip()
            text = unquote(text) if "%" in text else text
            if holds_person(text):
                return self.token(tenant_id, text)
            is_marked = is_marked or is_personal_number(text)
        if not is_marked or source_id.startswith("tok_"):
            return source_id
        return self.token(uuid_text(product, "tenant", product), source_id)

    def stand_in(self, text: str) -> str:
        """32 hex digits that stand for a whole record, to the letter; nobody can test a guess."""
        mac = hmac.digest(self._master_key, text.encode("utf-8", "replace"), "sha256")
        return mac.hex()[:32]

    def _make(self, tenant_id: str, value: str) -> str:
        keyed = self._tenant_keys.get(tenant_id)
        if keyed is None:
            derived = hmac.digest(self._master_key, tenant_id.encode(), "sha256")
            keyed = self._tenant_keys[tenant_id] = hmac.new(derived, digestmod=hashlib.sha256)
        mac = keyed.copy()
        mac.update(normalise(value).encode("utf-8", "replace"))
        return "tok_" + mac.hexdigest()[:32]


def normalise(value: str) -> str:
    """One spelling per value: e-mails and names without case, phone numbers without punctuation."""
    text = value.strip().lower()
    if PHONE.fullmatch(text):
        return "".join(character for character in text if character in "+0123456789")
    return text


def looks_personal(source_id: str) -> bool:
    """Whether an id is in truth an e-mail address or a phone number (with its + sign)."""
    if "@" in source_id:
        return EMAIL.fullmatch(source_id.strip()) is not None
    return source_id.lstrip()[:1] == "+" and PHONE.fullmatch(source_id.strip()) is not None


def holds_person(source_id: str) -> bool:
    """Whether an id is an e-mail address or a phone number with its + sign, or has one in it."""
    return EMAIL.search(source_id) is not None or _PHONE_INSIDE.search(source_id) is not None


def may_name_somebody(record_id: str) -> bool:
    """Whether the id of a record is worth asking `names_somebody`; cheap, and never wrong in saying no."""
    return _MAY_NAME.search(record_id) is not None


def names_somebody(record_id: str) -> bool:
    """Whether the id of a record holds who it is about: an e-mail address, a telephone number with its +, a
    card or a national id. Ordinary numbers are what such ids are made of."""
    text = unquote(record_id) if "%" in record_id else record_id
    return (
        EMAIL.search(text) is not None
        or looks_personal(text)
        or (text.isdigit() and is_forbidden_number(text))
    )


def ip_subnet(address: str) -> str | None:
    """The /24 (IPv4) or /48 (IPv6) of an address; None when it is not one. An IPv6 address with an IPv4 one
    in it is cut by that one."""
    text = address.strip()
    if usual := _IPV4.match(text):
        return f"{usual[1]}0/24"
    try:
        parsed = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = _ipv4_inside(parsed) or parsed
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def _ipv4_inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Of an address that maps, tunnels or translates an IPv4 one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1 << 16):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
