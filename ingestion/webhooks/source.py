"""What the sources of all webhook providers have in common: one contract for all their files.

Belongs here: the contract, and that files wait while it cannot be used. Does not belong here: whose
an event is, reading it (`stripe`, `revenuecat`).
"""

from ingestion.contracts.form import Form
from ingestion.contracts.model import Contracts
from ingestion.landing.file_info import FileInfo, RecordList, Shape
from ingestion.parsing.source import UNTOLD, StoresRowsOnly, Waiting
from ingestion.privacy.tokens import Tokeniser
from ingestion.webhooks.common import arrival
from ingestion.webhooks.contract import webhook_contract
from ingestion.webhooks.privacy import PayloadFilter


class WebhookSource(StoresRowsOnly):
    """Events of all declared accounts or projects of the provider that `kind` names."""

    kind: str
    records: RecordList | None = None  # where a line may hold several

    def __init__(self, contracts: Contracts, tokeniser: Tokeniser) -> None:
        self._contract, self._faults = webhook_contract(contracts, self.kind)
        self._filter = PayloadFilter(self._contract, tokeniser)
        self._form = self._contract.form()

    def faults(self) -> tuple[str, ...]:
        return self._faults

    def shape(self, file: FileInfo) -> Shape:
        self._must_be_readable(file)
        return Shape(records=self.records)

    def form(self, file: FileInfo) -> Form:
        self._must_be_readable(file)
        return self._form

    def product(self, name: str) -> str | None:
        owner = self._contract.owners().get(name)
        return owner.product if owner else None

    def came_at(self, path: str) -> int:
        came_us = arrival(path)
        return UNTOLD if came_us is None else came_us

    def _must_be_readable(self, file: FileInfo) -> None:
        """Raises Waiting while the contract has a fault."""
        for fault in self._faults:
            raise Waiting(fault)
