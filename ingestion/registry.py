"""Which kinds of source there are, and where each one's code lives.

A kind is a folder below the landing folder. Nothing else belongs here.
"""

from importlib import import_module
from typing import Any

from ingestion.contracts import Contracts
from ingestion.pii import Tokeniser
from ingestion.sources import Source, Target

SOURCES = {
    "cdc": "ingestion.cdc:CdcSource",
    "events": "ingestion.events:EventSource",
    "revenuecat": "ingestion.webhooks:RevenueCatSource",
    "stripe": "ingestion.webhooks:StripeSource",
}
# The order of loading: change data first, so that people and tenants are known to what follows.
KINDS = tuple(SOURCES)


def make_source(kind: str, contracts: Contracts, tokeniser: Tokeniser) -> Source:
    """The source of a kind; imported only when there is something of it to load."""
    source: Source = _class(kind)(contracts, tokeniser)
    return source


def target_of(kind: str) -> Target:
    """Where the rows of a kind go."""
    target: Target = _class(kind).target
    return target


def _class(kind: str) -> Any:
    module, name = SOURCES[kind].split(":")
    return getattr(import_module(module), name)
