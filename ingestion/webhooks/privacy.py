"""Takes out of a webhook's payload, before it is stored, personal data and ids that identify nobody.

What is stored as it came, its contract names: amounts, times, ids and states that revenue is computed from. A field
that no list names is sealed and counted, for nobody can say what a provider or a product writes there tomorrow.
Belongs here: walking a payload by its contract. Does not belong here: judging free text (`scrub`), tokens (`tokens`),
sealing (`sealing`).
"""

import re
from collections import Counter
from typing import Any

from ingestion.privacy.scrub import Scrubber, TooDeep, suspicious
from ingestion.privacy.tokens import Tokeniser, looks_personal
from ingestion.values.identity import is_placeholder, uuid_text
from ingestion.webhooks.contract import WebhookContract

MAX_DEPTH = 60
UNLISTED = "unlisted_field"
_ID_LIKE = re.compile(r"ids?|.*_ids?|object|type|.*_type|currency|status")
_COUNTRY = "country"
_METADATA = "metadata"
_OF_THINGS = (
    "name",
    "display_name",
    "nickname",
    "description",
)  # which people have as well as products
PRODUCT_IDS = ("tenant_id", "user_id")  # what a product writes into metadata and attributes
_OF_PEOPLE = frozenset({
    *PRODUCT_IDS, "app_user_id", "original_app_user_id", "aliases", "transferred_from", "transferred_to",
    "client_reference_id",
})  # fmt: skip


class PayloadFilter:
    """Applies one provider's contract; `hide` for a whole payload of one tenant of a product."""

    def __init__(self, contract: WebhookContract, tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser
        self._scrubber = Scrubber(tokeniser)
        self._token = frozenset(contract.token)
        self._drop = frozenset(contract.drop)
        self._keep = frozenset(contract.keep)
        self._keep_metadata = frozenset((*contract.keep_metadata, *PRODUCT_IDS))
        self._seal = frozenset(contract.seal)
        self._person_objects = frozenset(contract.person_objects)
        self._thing_objects = frozenset(contract.thing_objects)
        self._id_like: dict[str, bool] = {}
        self._harmless_keys: set[str] = set()
        self._product = self._home = ""  # of the events at hand; whose its tenants' ids are
        self.placeholders: Counter[str] = Counter()  # by field, until who counts them takes them
        self.unlisted: Counter[tuple[str, str]] = Counter()  # by object and field, as well

    def of_product(self, product: str) -> "PayloadFilter":
        """The filter, for events of a product from here on: ids are keyed within it."""
        if product != self._product:
            self._product, self._home = product, uuid_text(product, "tenant", product)
        return self

    def hide(self, payload: dict[str, Any], tenant_id: str, parent: str = "") -> dict[str, Any]:
        """The payload as it may be stored; `parent` is the object it stands in. Raises TooDeep."""
        return self._mapping(payload, parent, tenant_id, 0)

    def tenant_uuid(self, source_id: str) -> str:
        """The tenant that the product calls so, as UUID text."""
        keyed = self._tokeniser.keyed_id(self._product, self._home, source_id)
        return uuid_text(self._product, "tenant", keyed)

    def source_id(self, name: str, value: Any, tenant_id: str) -> str | None:
        """An id given by the product in a field of this name; one that names a person becomes a token."""
        if value is None or isinstance(value, dict | list):
            return None
        text = str(value)
        if name not in _OF_PEOPLE:  # a number among the provider's own ids is nobody's
            return self._tokeniser.token(tenant_id, text) if looks_personal(text) else text
        owner = self._home if name == "tenant_id" else tenant_id
        return self._tokeniser.keyed_id(self._product, owner, text)

    def person(self, name: str, value: Any, tenant_id: str) -> str | None:
        """The id of a person or a tenant in a field of this name; None, and counted, for a program's
        word for nothing (rule 49)."""
        found = self.source_id(name, value, tenant_id)
        if found is not None and is_placeholder(found):
            self.placeholders[name] += 1
            return None
        if found is not None and name in self._token:
            return self._tokeniser.keyed_id(self._product, tenant_id, found, is_marked=True)
        return found

    def attributes(self, attributes: dict[str, Any], tenant_id: str) -> dict[str, Any]:
        """RevenueCat's subscriber attributes: {name: {value, updated_at_ms}}."""
        hidden: dict[str, Any] = {}
        for name, held in attributes.items():
            key = self._shown_key(name, tenant_id)
            if not isinstance(held, dict) or "value" not in held:
                hidden[key] = self._metadatum(name, held, tenant_id)
                continue
            hidden[key] = self._mapping(
                {k: v for k, v in held.items() if k != "value"}, name, tenant_id, 1
            )
            hidden[key]["value"] = self._metadatum(name, held["value"], tenant_id)
        return hidden

    def _metadata(self, values: dict[str, Any], tenant_id: str) -> dict[str, Any]:
        """What a product wrote beside the provider's own fields, under names of its own."""
        return {
            self._shown_key(name, tenant_id): self._metadatum(name, value, tenant_id)
            for name, value in values.items()
        }

    def _metadatum(self, name: str, value: Any, tenant_id: str) -> Any:
        if value is None or value == "":
            return value
        if name in self._drop or self._is_nobody(name, value):
            return None
        if name in self._token:
            return self._tokens(value, tenant_id)
        if name not in self._keep_metadata or isinstance(value, dict | list):
            return self._sealed(_METADATA, name, value, tenant_id)
        if name in PRODUCT_IDS:
            found = self.source_id(name, value, tenant_id)
            return value if found == str(value) else found
        return self._text(name, value, tenant_id) if isinstance(value, str) else value

    def _shown_key(self, name: str, tenant_id: str) -> str:
        """A name as it may be stored: one that is a value becomes a token."""
        if name in self._harmless_keys:
            return name
        if suspicious(name):
            return self._scrubber.key(name, tenant_id)
        if len(self._harmless_keys) < 10_000:
            self._harmless_keys.add(name)
        return name

    def _mapping(
        self, values: dict[str, Any], parent: str, tenant_id: str, depth: int
    ) -> dict[str, Any]:
        if depth > MAX_DEPTH:
            raise TooDeep
        kind = values.get("object")
        context = parent if kind is None or not self._is_telling(kind) else str(kind)
        hidden = {
            self._shown_key(name, tenant_id): self._value(name, value, context, tenant_id, depth)
            for name, value in values.items()
        }
        before = values.get("previous_attributes")
        if isinstance(kind, dict) and isinstance(
            before, dict
        ):  # what was before is of the same object
            hidden["previous_attributes"] = self._mapping(
                before, str(kind.get("object")), tenant_id, depth + 1
            )
        return hidden

    def _is_telling(self, kind: Any) -> bool:
        """Whether an object's kind says whose its plain fields are."""
        return isinstance(kind, str) and (
            kind in self._person_objects or kind in self._thing_objects
        )

    def _value(  # noqa: PLR0911
        self, name: str, value: Any, context: str, tenant_id: str, depth: int
    ) -> Any:
        """One value; `context` is the object it stands in, by type or by its own name."""
        if value is None or isinstance(value, bool) or value == "":
            return value
        if name in self._drop:
            return {_COUNTRY: value[_COUNTRY]} if _has_country(value) else None
        if name in self._token or (name == "name" and context in self._person_objects):
            return self._tokens(value, tenant_id)
        if name == _METADATA and isinstance(value, dict):
            return self._metadata(value, tenant_id)
        if isinstance(value, dict):
            return self._mapping(value, name, tenant_id, depth + 1)
        if isinstance(value, list):
            if depth > MAX_DEPTH:
                raise TooDeep
            return [self._value(name, item, context, tenant_id, depth + 1) for item in value]
        return self._leaf(name, value, context, tenant_id)

    def _leaf(self, name: str, value: Any, context: str, tenant_id: str) -> Any:
        """A text or a number that is no person's by its name."""
        if name in self._keep or (name in _OF_THINGS and context in self._thing_objects):
            return self._text(name, value, tenant_id) if isinstance(value, str) else value
        return self._sealed(context, name, value, tenant_id)

    def _sealed(self, context: str, name: str, value: Any, tenant_id: str) -> str:
        _check_depth(value)
        if name not in self._seal:
            self.unlisted[context or "event", name] += 1
        return self._tokeniser.sealer.seal(tenant_id, name, value)

    def _is_nobody(self, name: str, value: Any) -> bool:
        """Whether it is an id that the product wrote beside its own fields, and identifies nobody."""
        if (
            name not in PRODUCT_IDS
            or isinstance(value, dict | list)
            or not is_placeholder(str(value))
        ):
            return False
        self.placeholders[name] += 1
        return True

    def _text(self, name: str, value: str, tenant_id: str) -> str | None:
        if self._is_id_like(name):
            found = self.source_id(name, value, tenant_id)
            return self._scrubber.addresses(found, tenant_id) if found else found
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


def _check_depth(value: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise TooDeep
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_depth(item, depth + 1)
