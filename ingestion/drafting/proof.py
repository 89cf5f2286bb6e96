"""A drafted contract tried on its own sample, by the loader's own parsers.

Belongs here: counting what would become of each line. Does not belong here: mending the draft.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.cdc.contract import cdc_faults
from ingestion.cdc.source import CdcSource
from ingestion.contracts.model import ContractError, Contracts, Document, parse_event_contract
from ingestion.drafting.sample import FileSample
from ingestion.drafting.wording import counted
from ingestion.events.source import EventSource
from ingestion.landing.file_info import FileInfo
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.outcomes import Ignored, Rejected


@dataclass
class Outcomes:
    """How many lines are accepted, passed over (heartbeats, tombstones), refused and why."""

    accepted: int = 0
    ignored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    drift: Counter[str] = field(default_factory=Counter)

    def sentence(self) -> str:
        """What the loader would do with the sample."""
        said = f"Tried on its sample: {counted(self.accepted, 'record')} accepted"
        if self.ignored:
            said += f", {self.ignored:,} passed over (heartbeats, tombstones and the like)"
        if self.refused:
            reasons = ", ".join(f"{count:,} {code}" for code, count in self.refused.most_common())
            return f"{said}, {self.refused.total():,} rejected ({reasons}; see docs/contracts.md)."
        return f"{said}, none rejected."


def try_contract(body: Mapping[str, Any], samples: Iterable[tuple[FileSample, bytes]]) -> Outcomes:
    """Parse every line of the samples (each with its header) by a contract; raises ContractError."""
    document = Document(str(body["kind"]), Path("draft"), body)
    product = str(body["product"])
    events = {}
    if document.kind == "events":
        contract = parse_event_contract(document)
        events[contract.key] = contract
    contracts = Contracts((document,), events, "")
    for fault in cdc_faults(contracts):
        raise ContractError(fault.sentence)
    tokeniser = Tokeniser(bytes(32))
    source: CdcSource | EventSource = (
        EventSource(contracts, tokeniser) if events else CdcSource(contracts, tokeniser)
    )
    outcomes = Outcomes()
    for sample, header in samples:
        path = f"{document.kind}/{product}/{sample.path.name}"
        content = hashlib.sha256(path.encode()).hexdigest()
        parser = source.open(FileInfo(document.kind, product, path, content, 1, header))
        for number, line in sample.lines:
            outcome = parser.parse(number, line)
            if isinstance(outcome, Rejected):
                outcomes.refused[outcome.reason_code] += 1
            elif isinstance(outcome, Ignored):
                outcomes.ignored += 1
            else:
                outcomes.accepted += 1
        for (_, _, kind), count in parser.drift.items():
            outcomes.drift[kind] += count
    return outcomes
