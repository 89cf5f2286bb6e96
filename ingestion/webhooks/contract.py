"""The contract of a webhook provider: whose an account is, and what in an event is personal.

Belongs here: reading `kind: webhooks` documents and checking them, in sentences. Does not belong
here: applying them (`stripe`, `revenuecat`, `privacy`).
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.contracts.form import Form
from ingestion.contracts.model import Contracts, usable

_PERSONAL = ("token", "drop", "person_objects")
_KEPT = ("keep", "keep_metadata", "thing_objects", "seal")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Owner(_Strict):
    """The product an account or project belongs to."""

    product: str = Field(pattern=r"^[a-z][a-z0-9_]*$")


class WebhookContract(_Strict):
    """`accounts` (Stripe) or `projects` (RevenueCat) by name; what becomes of fields, by their names. A
    field that is in no list is sealed, and counted."""

    kind: Literal["webhooks"]
    provider: Literal["stripe", "revenuecat"]
    description: str = ""
    accounts: Mapping[str, Owner] = {}
    projects: Mapping[str, Owner] = {}
    token: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    person_objects: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    keep_metadata: tuple[str, ...] = ()
    thing_objects: tuple[str, ...] = ()
    seal: tuple[str, ...] = ()

    def owners(self) -> Mapping[str, Owner]:
        return self.accounts if self.provider == "stripe" else self.projects

    def form(self) -> Form:
        """What decides how events are read: whose each account is, and what is personal."""
        personal = {name: sorted(set(getattr(self, name))) for name in (*_PERSONAL, *_KEPT)}
        owners = {name: owner.model_dump(mode="json") for name, owner in self.owners().items()}
        return Form(f"webhooks/{self.provider}", personal, owners)


def webhook_contract(
    contracts: Contracts, provider: str
) -> tuple[WebhookContract, tuple[str, ...]]:
    """All documents of a provider as one, each adding accounts and personal fields to the others; and
    what is wrong with those that cannot be used. With one of these nothing of the provider can be
    loaded: nobody knows what it would have called personal."""
    merged: dict[str, object] = {"kind": "webhooks", "provider": provider}
    documents, faults = usable(contracts, "webhooks", WebhookContract)
    unread = contracts.fault_of("webhooks", provider)
    faults += [unread] if unread is not None else []
    for _, found in documents:
        if found.provider != provider:
            continue
        for name in ("accounts", "projects"):
            merged[name] = {**merged.get(name, {}), **getattr(found, name)}  # type: ignore[dict-item]
        for name in (*_PERSONAL, *_KEPT):
            merged[name] = (*merged.get(name, ()), *getattr(found, name))  # type: ignore[misc]
    sentences = [fault.sentence for fault in faults]
    if (
        documents
        and not faults
        and not merged.get("keep")
        and merged.keys() & {"accounts", "projects"}
    ):
        sentences.append(
            f"No contract of {provider} says under `keep` which fields may be stored as they are, so that all of"
            f" them would be sealed. Take the list of contracts/webhooks/{provider}.yml into yours."
        )
    return WebhookContract.model_validate(merged), tuple(sentences)
