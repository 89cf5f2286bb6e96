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

EMAIL = re.compile(r"[\w.+'%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"((?:{_OCTET}\.){{3}}){_OCTET}\Z")
_REMEMBERED = 20_000  # tokens
PHONE = re.compile(r"\+?\(?\d[\d ().-]{7,20}\d")


class Tokeniser:
    """Makes tokens; remembers each tenant's key and the last tokens while it lives."""

    def __init__(self, master_key: bytes) -> None:
        self._master_key = master_key
        self._tenant_keys: dict[str, hmac.HMAC] = {}
        self._tokens: dict[tuple[str, str], str] = {}

    def token(self, tenant_id: str, value: str) -> str:
        """`tok_` and 32 hex digits for a value within a tenant (UUID text)."""
        made = self._tokens.get((tenant_id, value))
        if made is None:
            if len(self._tokens) >= _REMEMBERED:
                self._tokens.clear()
            made = self._tokens[(tenant_id, value)] = self._make(tenant_id, value)
        return made

    def seal(self, text: str) -> str:
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


def ip_subnet(address: str) -> str | None:
    """The /24 (IPv4) or /48 (IPv6) of an address; None when it is not one."""
    text = address.strip()
    if usual := _IPV4.match(text):
        return f"{usual[1]}0/24"
    try:
        parsed = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))
