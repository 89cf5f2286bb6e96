"""Which kinds of source there are, and where each one's code lives.

A kind is a folder below the landing folder. Nothing else belongs here.
"""

from importlib import import_module

from ingestion.contracts import Contracts
from ingestion.pii import Tokeniser
from ingestion.sources import Source

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
    module, name = SOURCES[kind].split(":")
    source: Source = getattr(import_module(module), name)(contracts, tokeniser)
    return source
