"""Which kinds of source there are, and where each one's code lives.

A kind is a folder below the landing folder. Nothing else belongs here.
"""

from importlib import import_module
from typing import Any

from ingestion.contracts.model import Contracts
from ingestion.parsing.source import Source, Target
from ingestion.privacy.tokens import Tokeniser

SOURCES = {
    "cdc": "ingestion.cdc.source:CdcSource",
    "events": "ingestion.events.source:EventSource",
    "revenuecat": "ingestion.webhooks.revenuecat:RevenueCatSource",
    "stripe": "ingestion.webhooks.stripe:StripeSource",
}


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
