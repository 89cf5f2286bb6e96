"""Product events: which contract reads a file, and the table the rows go to.

Belongs here: choosing among a product's contracts, the row's columns. Does not belong here: the
reading of a line (`parser`), the lake (`mirror`).
"""

from fnmatch import fnmatchcase

from pydantic.main import IncEx

from ingestion.contracts.form import Form
from ingestion.contracts.mapping import FieldMap
from ingestion.contracts.model import Contracts, EventContract
from ingestion.events.columns import SCHEMA
from ingestion.events.parser import EventParser
from ingestion.landing.file_info import FileInfo, RecordList, Shape
from ingestion.parsing.source import LineParser, StoresRowsOnly, Target, Undeclared, Waiting
from ingestion.privacy.tokens import Tokeniser

COLUMNS = tuple(SCHEMA.names)

# The house's own envelope: what a contract that maps nothing means.
NATIVE = {
    **{name: FieldMap(path=name) for name in (
        "event_id", "event_name", "event_domain", "occurred_at", "received_at", "tenant_id",
        "user_id", "anonymous_id", "session_id", "source", "schema_version",
    )},
    **{name: FieldMap(path=f"context.{name}") for name in (
        "user_agent", "ip", "device_type", "browser", "country_code", "page_load_time_ms",
    )},
}  # fmt: skip
BATCHES = ("batch", "events")  # Segment's and PostHog's, Amplitude's


class EventSource(StoresRowsOnly):
    """Events of all products."""

    kind = "events"
    target = Target(
        table="raw_events.events",
        key_table="raw_events.event_keys",
        columns=COLUMNS,
        part="event_name",
        touch_sql=("'tenant_day'", "product", "tenant_id", "null", "event_date"),
        withheld_keys="raw_events.withheld_keys",
        has_closed_days=True,
    )

    def __init__(self, contracts: Contracts, tokeniser: Tokeniser) -> None:
        self._contracts = contracts
        self._tokeniser = tokeniser
        self._parsers: dict[str, EventParser] = {}
        self._forms: dict[str, Form] = {}

    def shape(self, file: FileInfo) -> Shape:
        contract = choose_contract(self._contracts, file)
        form = contract.format
        return Shape(
            is_json=not form.is_text,
            records=None if form.is_text else _record_list(contract),
            has_header=form.has_header,
            is_quoted=form.type == "csv",
            identity_from_file="event_id" not in contract.envelope and bool(contract.envelope),
        )

    def faults(self) -> tuple[str, ...]:
        """What is wrong with contracts of events."""
        return tuple(f.sentence for f in self._contracts.faults if f.kind == self.kind)

    def form(self, file: FileInfo) -> Form:
        contract = choose_contract(self._contracts, file)
        if contract.key not in self._forms:
            self._forms[contract.key] = _form(contract)
        return self._forms[contract.key]

    def product(self, name: str) -> str | None:
        return name

    def open(self, file: FileInfo) -> LineParser:
        """The parser of one file; the next `open` of the same contract may take it over."""
        contract = choose_contract(self._contracts, file)
        parser = self._parsers.get(contract.key)
        if parser is None or not parser.follow(file):
            if not contract.envelope:
                contract = contract.model_copy(update={"envelope": NATIVE})
            parser = self._parsers[contract.key] = EventParser(contract, file, self._tokeniser)
        return parser


def _form(contract: EventContract) -> Form:
    """What of a contract decides how a line becomes a row: all but the words for people."""
    fields: IncEx = {"__all__": {"description"}}
    words: IncEx = {"description": True, "deprecated": True, "replaced_by": True, "required": fields,
             "optional": fields}  # fmt: skip
    whole = contract.model_dump(
        mode="json",
        exclude={"description": True, "owner": True, "events": True, "common": fields},
        exclude_defaults=True,
    )
    parts = {
        name: event.model_dump(mode="json", exclude=words, exclude_defaults=True)
        for name, event in contract.events.items()
    }
    return Form(f"events/{contract.key}", whole, parts)


def _record_list(contract: EventContract) -> RecordList:
    """Where a line may hold a list of events: where the contract says, else as trackers send them."""
    if contract.format.records is not None:
        return RecordList((contract.format.records,), is_certain=True)
    named = contract.envelope.get("event_name", NATIVE["event_name"])
    return RecordList(BATCHES, frozenset(path.split(".")[0] for path in named.used_paths()))


def choose_contract(contracts: Contracts, file: FileInfo) -> EventContract:
    """The contract whose `match` fits the file, else the product's contract without one; raises
    Undeclared."""
    fault = contracts.fault_of("events", file.name)
    if fault is not None:
        raise Waiting(fault.sentence)
    candidates = [c for c in contracts.events.values() if c.product == file.name]
    if not candidates:
        raise Undeclared(
            f"Nobody declared the product {file.name!r}. Write contracts/events/{file.name}.yml, or"
            " name a folder that holds its contract in TALLYHOUSE_CONTRACTS."
        )
    below = file.path.split("/", 2)[2] if file.path.count("/") >= 2 else file.path
    fitting = [c for c in candidates if any(fnmatchcase(below, pattern) for pattern in c.match)]
    fitting = fitting or [c for c in candidates if not c.match]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(sorted(c.key for c in fitting or candidates))
    how = "Several contracts claim" if fitting else "No contract claims"
    raise Undeclared(f"{how} the file {file.path}: see `match` in {names}.")
