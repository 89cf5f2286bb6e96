"""A contract that cannot be used is one sentence, and its own product waits for it alone."""

from pathlib import Path

import pytest

from ingestion.cdc.contract import cdc_contracts, cdc_faults
from ingestion.contracts.model import Contracts, load_contracts
from ingestion.webhooks.contract import webhook_contract

ENVELOPE = "envelope: {event_name: {constant: sale}, occurred_at: at%s}\n"
CSV = "format: {type: csv%s}\n"


def contracts_of(folder: Path, **files: str) -> Contracts:
    """A folder of contracts: one that is good, and those given by name."""
    (folder / "good.yml").write_text("kind: events\nproduct: good\n")
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text)
    return load_contracts([folder])


MISTAKES = {
    "clock: sundial": "clock",
    "colour: red": "colour: no contract has such a key",
    "timezone: Europe/Londn": "timezone",
    "event_pattern: '(?P<domain>[a-z'": "event_pattern",
    "events: {sale: {required: {n: {type: whole}}}}": "events.sale.required.n.type",
    "skip: [{path: a}]": "skip.0: say one of `matches`, `equals` or `is_missing`",
    "skip: [{path: a, matches: '('}]": "skip.0.matches",
    "properties: {fields: {n: {}}}": "properties.fields.n",
    ENVELOPE % ", event_id: {path: [a, b], join: '', content: true}": "envelope.event_id",
    ENVELOPE % ", user_id: {path: u, type: date}": "user_id: type date cannot be",
    ENVELOPE % ", user_id: {content: true}": "user_id: only an event id",
    ENVELOPE % ", session_id: {path: s, join: '-'}": "envelope.session_id",
    ENVELOPE
    % ", received_at: {path: r, time_format: epoch_min}": "envelope.received_at.time_format",
    ENVELOPE % ", colour: c": "colour: not a field of the event envelope",
    "envelope: {event_name: n}": "none of occurred_at, received_at is mapped",
    "envelope: {occurred_at: at}": "event_name is not mapped",
    "format: {type: csv}": "envelope: say which columns",
    "format: {delimiter: ';'}": "format: delimiter: says nothing of JSON lines",
    ENVELOPE % "" + CSV % ", delimiter: '||'": "format.delimiter",
    ENVELOPE % "" + CSV % ", delimiter: ''": "format.delimiter",
    ENVELOPE % "" + CSV % r", delimiter: '\t'": "in YAML a tab is",
    ENVELOPE % "" + CSV % ", encoding: latin-99": "format.encoding",
    ENVELOPE % "" + CSV % ", encoding: utf-16": "UTF-16 and UTF-32 are told from the file",
    ENVELOPE % "" + CSV % ", encoding: cp037": "format.encoding",
    ENVELOPE % "" + CSV % ", decimal: ',', thousands: ','": "format",
    ENVELOPE % "" + CSV % ", thousands: '5'": "format.thousands",
    ENVELOPE % "" + CSV % ", columns: [at, at]": "format.columns",
    ENVELOPE % ""
    + CSV % ", columns: [day]": "envelope.occurred_at: 'at' is not among format.columns",
    ENVELOPE % "" + CSV % ", header: false": "format",
    ENVELOPE % "" + "format: {type: whitespace, delimiter: ' '}": "format",
    ENVELOPE % "" + CSV % ", records: batch": "format: records",
}


@pytest.mark.parametrize("said", MISTAKES)
def test_each_mistake_is_one_sentence_with_file_and_place(tmp_path: Path, said: str) -> None:
    contracts = contracts_of(tmp_path, bad=f"kind: events\nproduct: bad\n{said}\n")
    (fault,) = contracts.faults
    assert (fault.kind, fault.product) == ("events", "bad")
    assert f"The contract {tmp_path / 'bad.yml'} is not valid. " in fault.sentence
    assert MISTAKES[said] in fault.sentence and "\n" not in fault.sentence
    assert [*contracts.events] == ["good"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: events\nproduct: [bad\n", "cannot be read in line 3"),
        (
            "kind: events\nproduct: bad\nclock: server\nclock: device\n",
            "line 4: the key 'clock' stands",
        ),
        ("- kind: events\n", "must be a mapping"),
        ("kind: event\nproduct: bad\n", "must be a mapping with `kind:` one of"),
        ("kind: events\nproduct: bad\nowner: \x01\n", "cannot be read"),
    ],
)
def test_a_file_that_is_no_contract_is_named(tmp_path: Path, text: str, said: str) -> None:
    contracts = contracts_of(tmp_path, bad=text)
    (fault,) = contracts.faults
    assert str(tmp_path / "bad.yml") in fault.sentence and said in fault.sentence
    assert "\n" not in fault.sentence
    assert contracts.fault_of("events", "bad") is fault
    assert contracts.fault_of("events", "good") is None


def test_a_mended_contract_does_not_fall_back_to_the_one_it_replaces(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    contracts_of(tmp_path / "a", shop="kind: events\nproduct: shop\n")
    contracts_of(tmp_path / "b", shop="kind: events\nproduct: shop\nclock: sundial\n")
    contracts = load_contracts([tmp_path / "a", tmp_path / "b"])
    assert contracts.fault_of("events", "shop") is not None


def test_two_contracts_of_one_name_are_a_fault_of_their_product(tmp_path: Path) -> None:
    contracts = contracts_of(tmp_path, again="kind: events\nproduct: good\n")
    (fault,) = contracts.faults
    assert "both declare the events of 'good'" in fault.sentence and fault.product == "good"


def test_a_bad_database_contract_leaves_the_others(tmp_path: Path) -> None:
    table = "kind: cdc\nproduct: %s\ntables: {t: {columns: {id: %s}}}\n"
    contracts = contracts_of(tmp_path, one=table % ("one", "uuid"), two=table % ("two", "hexagon"))
    assert [*cdc_contracts(contracts)] == ["one"]
    (fault,) = cdc_faults(contracts)
    assert fault.product == "two" and "two.yml" in fault.sentence and "hexagon" in fault.sentence


def test_a_bad_webhook_contract_holds_back_its_provider(tmp_path: Path) -> None:
    stripe = "kind: webhooks\nprovider: stripe\naccounts: {acct_1: {product: %s}}\n"
    contracts = contracts_of(tmp_path, a=stripe % "shop", b=stripe % "No Shop")
    _, (fault,) = webhook_contract(contracts, "stripe")
    assert "b.yml" in fault and "accounts.acct_1.product" in fault
