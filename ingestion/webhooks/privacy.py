"""Takes out of a webhook's payload, before it is stored, personal data and ids that identify nobody.

Amounts, times, ids and states are what revenue is computed from: numbers are never touched, and
text under an id's name only when it is an e-mail address or a phone number. Belongs here: walking a
payload by its contract. Does not belong here: judging free text (`scrub`), making tokens (`tokens`).
"""

import re
from collections import Counter
from typing import Any

from ingestion.privacy.scrub import KEEP, REMOVE, SUBNET, Scrubber, TooDeep, suspicious
from ingestion.privacy.tokens import Tokeniser, looks_personal
from ingestion.values.identity import is_placeholder
from ingestion.webhooks.contract import WebhookContract

MAX_DEPTH = 60
_ID_LIKE = re.compile(r"ids?|.*_ids?|object|type|.*_type|currency|status")
_COUNTRY = "country"
_METADATA = "metadata"
PRODUCT_IDS = ("tenant_id", "user_id")  # what a product writes into metadata and attributes


class PayloadFilter:
    """Applies one provider's contract; `hide` for a whole payload of one tenant."""

    def __init__(self, contract: WebhookContract, tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser
        self._scrubber = Scrubber(tokeniser)
        self._token = frozenset(contract.token)
        self._drop = frozenset(contract.drop)
        self._person_objects = frozenset(contract.person_objects)
        self._id_like: dict[str, bool] = {}
        self.placeholders: Counter[str] = Counter()  # by field, until who counts them takes them

    def hide(self, payload: dict[str, Any], tenant_id: str) -> dict[str, Any]:
        """The payload as it may be stored; raises TooDeep."""
        return self._mapping(payload, "", tenant_id, 0)

    def source_id(self, value: Any, tenant_id: str) -> str | None:
        """An id given by the product; one that names a person becomes a token."""
        if value is None or isinstance(value, dict | list):
            return None
        text = str(value)
        return self._tokeniser.token(tenant_id, text) if looks_personal(text) else text

    def person(self, name: str, value: Any, tenant_id: str) -> str | None:
        """The id of a person or a tenant in a field of this name; None, and counted, for a program's
        word for nothing (rule 49)."""
        found = self.source_id(value, tenant_id)
        if found is not None and is_placeholder(found):
            self.placeholders[name] += 1
            return None
        return found

    def attributes(self, attributes: dict[str, Any], tenant_id: str) -> dict[str, Any]:
        """RevenueCat's subscriber attributes: {name: {value, updated_at_ms}}."""
        hidden: dict[str, Any] = {}
        for name, held in attributes.items():
            if not isinstance(held, dict) or "value" not in held:
                hidden[name] = self._value(name, held, "", tenant_id, 1)
            elif name in self._drop or self._is_nobody(name, held["value"], _METADATA):
                hidden[name] = {**held, "value": None}
            elif name in self._token:
                hidden[name] = {**held, "value": self._tokens(held["value"], tenant_id)}
            else:
                hidden[name] = {**held, "value": self._value(name, held["value"], "", tenant_id, 1)}
        return hidden

    def _mapping(
        self, values: dict[str, Any], parent: str, tenant_id: str, depth: int
    ) -> dict[str, Any]:
        if depth > MAX_DEPTH:
            raise TooDeep
        kind = values.get("object")
        context = kind if isinstance(kind, str) and kind in self._person_objects else parent
        return {
            name: self._value(name, value, context, tenant_id, depth)
            for name, value in values.items()
        }

    def _value(self, name: str, value: Any, context: str, tenant_id: str, depth: int) -> Any:
        """One value; `context` is the object it stands in, by type or by its own name."""
        if value is None or isinstance(value, bool) or value == "":
            return value
        if name in self._drop or self._is_nobody(name, value, context):
            return {_COUNTRY: value[_COUNTRY]} if _has_country(value) else None
        if name in self._token or (name == "name" and context in self._person_objects):
            return self._tokens(value, tenant_id)
        if isinstance(value, dict):
            return self._mapping(value, name, tenant_id, depth + 1)
        if isinstance(value, list):
            if depth > MAX_DEPTH:
                raise TooDeep
            return [self._value(name, item, context, tenant_id, depth + 1) for item in value]
        return self._text(name, value, tenant_id) if isinstance(value, str) else value

    def _is_nobody(self, name: str, value: Any, context: str) -> bool:
        """Whether it is an id that the product wrote beside its own fields, and identifies nobody."""
        if name not in PRODUCT_IDS or context != _METADATA or isinstance(value, dict | list):
            return False
        if not is_placeholder(str(value)):
            return False
        self.placeholders[name] += 1
        return True

    def _text(self, name: str, value: str, tenant_id: str) -> str | None:
        if self._is_id_like(name):
            return self.source_id(value, tenant_id)
        verdict = self._scrubber.judge(name)
        if verdict in (REMOVE, SUBNET):
            return None
        if verdict != KEEP:
            return str(self._tokens(value, tenant_id))
        return self._scrubber.text(value, tenant_id, name) if suspicious(value) else value

    def _tokens(self, value: Any, tenant_id: str) -> Any:
        """Tokens for text and for lists of it; an object is searched for text."""
        if isinstance(value, dict):
            return {name: self._tokens(item, tenant_id) for name, item in value.items()}
        if isinstance(value, list):
            return [self._tokens(item, tenant_id) for item in value]
        if value is None or isinstance(value, bool) or value == "":
            return value
        text = str(value)
        return text if text.startswith("tok_") else self._tokeniser.token(tenant_id, text)

    def _is_id_like(self, name: str) -> bool:
        found = self._id_like.get(name)
        if found is None:
            if len(self._id_like) > 10_000:
                self._id_like.clear()
            found = self._id_like[name] = _ID_LIKE.fullmatch(name) is not None
        return found


def _has_country(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get(_COUNTRY), str)
