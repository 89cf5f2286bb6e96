"""One call from a source's sample to the text of its contract.

Belongs here: which kind of source lies before us, its product, the order of the steps. Does not
belong here: any step itself.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from ingestion.drafting import RECORDS, cdc, cdc_text, events
from ingestion.drafting.catalogue import database_name, draft_catalogue
from ingestion.drafting.delimited import Delimited, read_delimited
from ingestion.drafting.envelope import guess
from ingestion.drafting.proof import try_contract
from ingestion.drafting.sample import DraftError, FileSample, first_bytes, read_sample, sample_files
from ingestion.drafting.wording import counted
from ingestion.values.json_lines import decode_object
from ingestion.values.outcomes import Rejected

Kind = Literal["cdc", "events"]
_URL = re.compile(r"postgres(?:ql)?://")
_PRODUCT = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True)
class Request:
    """What a draft is asked of: files, folders or one address of a database."""

    places: tuple[str, ...]
    product: str | None = None
    kind: Kind | None = None  # None: told from the records
    records: int = RECORDS  # read of each file at most
    event_name: str | None = None  # of records that carry none
    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    trackers: Path | None = None  # the packs that known trackers are recognised by


@dataclass(frozen=True)
class Draft:
    """A contract's text, and sentences for the person who asked for it."""

    text: str
    kind: Kind
    product: str
    sentences: tuple[str, ...]


def draft(request: Request) -> Draft:
    """The contract of a source; raises DraftError (a sentence) where none can be made."""
    if request.product is not None and not _PRODUCT.match(request.product):
        raise DraftError(
            f"{request.product!r} cannot be a product: lower-case letters, digits and _, a letter first."
        )
    urls = [place for place in request.places if _URL.match(place)]
    if urls:
        if len(request.places) > 1:
            raise DraftError("Name one database, or files, not both.")
        return _of_database(request, urls[0])
    if not request.places:
        raise DraftError("Name a file of the source, its folder, or a postgresql:// address.")
    for place in request.places:
        if "://" in place:
            raise DraftError(
                f"{place.split('://', 1)[0]}:// cannot be drafted from. Name a local file or folder, or a"
                " postgresql:// address."
            )
    files = sample_files(map(Path, request.places))
    marks = {first_bytes(path).lstrip()[:1] for path in files}
    if b"[" in marks:
        raise DraftError(
            "A file holds one JSON array, which the loader does not read. Write one object a line"
            " (`jq -c '.[]'` does it)."
        )
    if marks == {b"{"}:
        return _of_json(request, files)
    if b"{" in marks:
        raise DraftError("Some files hold JSON and some do not. Draft each form by itself.")
    return _of_delimited(request, files)


def _of_database(request: Request, url: str) -> Draft:
    product = request.product or product_name(database_name(url))
    database = draft_catalogue(url, product, [*request.schemas], [*request.tables])
    count = len(database.tables)
    database.origin = (
        f"Drafted from the catalogue of a Postgres database: {counted(count, 'table')}."
    )
    text = cdc_text.contract_text(database)
    _checked(text, [])
    return Draft(text, "cdc", product, (*database.sentences, *_personal_cdc(database)))


def _of_json(request: Request, files: Sequence[Path]) -> Draft:
    samples = [read_sample(path, request.records) for path in files]
    decoded = [(line, decode_object(line)) for sample in samples for _, line in sample.lines]
    records = [record for _, record in decoded if not isinstance(record, Rejected)]
    if len(records) * 2 < len(decoded):
        code = Counter(r.reason_code for _, r in decoded if isinstance(r, Rejected)).most_common(1)[
            0
        ][0]
        raise DraftError(
            f"Of {len(decoded):,} lines {len(decoded) - len(records):,} are no JSON objects ({code}). The"
            " loader reads one object a line; `jq -c .` brings a file that spans lines into that form."
        )
    changes = sum(map(cdc.looks_like_change, records))
    kind: Kind = request.kind or ("cdc" if changes * 2 > len(records) else "events")
    if kind == "cdc":
        return _of_changes(request, samples, records)
    _refuse_webhooks(records)
    product = request.product or _product_of(files)
    return _of_events(request, product, records, {}, [(s, b"") for s in samples], [])


def _of_changes(
    request: Request, samples: Sequence[FileSample], records: Sequence[Mapping[str, Any]]
) -> Draft:
    product = request.product or _folder_of(samples[0].path, "cdc")
    product = product or product_name(cdc.prefix_of(records) or _stem(samples[0].path))
    lines = [line for sample in samples for _, line in sample.lines]
    database, changes = cdc.draft_tables(product, lines, product_name(_stem(samples[0].path)))
    if not database.tables:
        raise DraftError(
            "The records name no table that could be declared. "
            + (" ".join(database.sentences) or "Deliver whole records: {topic, key, value}.")
        )
    database.origin = _origin(
        samples, f"{counted(changes, 'change')} of {counted(len(database.tables), 'table')}"
    )
    text = cdc_text.contract_text(database)
    proof = _checked(text, [(sample, b"") for sample in samples])
    if any(sample.has_more for sample in samples):
        proof.append(
            f"Only the first {request.records:,} records of a file were read: tables that come later in a"
            " snapshot are missing here. Read more with --records."
        )
    sentences = (*database.sentences, *_personal_cdc(database), *proof)
    return Draft(text, "cdc", product, sentences)


def _of_delimited(request: Request, files: Sequence[Path]) -> Draft:
    if request.kind == "cdc":
        raise DraftError(
            "Change data comes as Debezium's records; delimited text is read as events."
        )
    parts = [read_delimited(path, request.records) for path in files]
    first = parts[0]
    for part in parts[1:]:
        if part.format != first.format or part.header != first.header:
            raise DraftError(
                f"{part.sample.path.name} is written in another way than {first.sample.path.name}, or has"
                " other columns. Draft them one by one and tell them apart by `name` and `match`."
            )
    records = [record for part in parts for record in part.records]
    product = request.product or _product_of(files)
    samples = [(part.sample, part.header) for part in parts]
    return _of_events(request, product, records, first.format, samples, _said(parts))


def _said(parts: Sequence[Delimited]) -> list[str]:
    return list(dict.fromkeys(sentence for part in parts for sentence in part.sentences))


def _of_events(
    request: Request, product: str, records: Sequence[Mapping[str, Any]], form: dict[str, Any],
    samples: list[tuple[FileSample, bytes]], sentences: list[str],
) -> Draft:  # fmt: skip
    envelope = guess(records, request.trackers, bool(form))
    if sum(isinstance(record.get("batch"), list) for record in records) * 2 > len(records):
        raise DraftError(
            "Each record holds a batch of events; the loader reads one event a line"
            " (`jq -c '.batch[]'` parts them)."
        )
    if envelope.missing:
        raise DraftError(
            "No field of these records is a time in every one of them, and an event needs one."
            " Deliver a time, or draft with --kind cdc if these are rows of a database."
            + "".join(f" {sentence}" for sentence in sentences)
        )
    name = request.event_name
    if name is None and "event_name" not in envelope.fields:
        name = product_name(_stem(samples[0][0].path))
        sentences.append(f"The records carry no event name: all are called {name} (--event-name).")
    stream = events.StreamDraft(product, envelope, form, name, sentences=sentences)
    stream.origin = _origin([sample for sample, _ in samples], counted(len(records), "event"))
    events.draft_events(stream, records)
    text = events.contract_text(stream)
    proof = _checked(text, samples)
    said = (*envelope.sentences, *stream.sentences, *_personal_events(stream), *proof)
    return Draft(text, "events", product, said)


def _checked(text: str, samples: list[tuple[FileSample, bytes]]) -> list[str]:
    """The draft through the contract check and the parsers; what they say of it."""
    outcomes = try_contract(yaml.safe_load(text), samples)
    if not samples:
        return []
    said = [outcomes.sentence()]
    if undecodable := outcomes.drift["undecodable_value"]:
        said.append(f"{undecodable:,} values fit no declared type and are kept aside.")
    return said


def _refuse_webhooks(records: Sequence[Mapping[str, Any]]) -> None:
    stripe = sum(r.get("object") == "event" and "data" in r for r in records)
    if stripe * 2 > len(records):
        raise DraftError(
            "These are Stripe's events, which need no contract of their own: put them below"
            " stripe/<account>/ and name the account in contracts/webhooks/stripe.yml."
        )
    cat = sum(isinstance(r.get("event"), dict) and "api_version" in r for r in records)
    if cat * 2 > len(records):
        raise DraftError(
            "These are RevenueCat's webhooks, which need no contract of their own: put them below"
            " revenuecat/<project>/ and name the project in contracts/webhooks/revenuecat.yml."
        )


def product_name(text: str) -> str:
    """A name as a product may bear it."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if _PRODUCT.match(name) else f"p_{name}".rstrip("_")


def _product_of(files: Sequence[Path]) -> str:
    return _folder_of(files[0], "events") or product_name(_stem(files[0]))


def _folder_of(path: Path, kind: Kind) -> str | None:
    """The product that a landing folder's path names."""
    parts = path.absolute().parts[:-1]
    places = [i for i, part in enumerate(parts[:-1]) if part == kind]
    return product_name(parts[places[-1] + 1]) if places else None


def _stem(path: Path) -> str:
    return path.name.split(".", 1)[0]


def _origin(samples: Sequence[FileSample], what: str) -> str:
    names = samples[0].path.name
    if len(samples) > 1:
        names += f" and {counted(len(samples) - 1, 'more file')}"
    more = "; there is more in the source" if any(sample.has_more for sample in samples) else ""
    return f"Drafted from {names}: {what}{more}."


def _personal_cdc(database: cdc.DatabaseDraft) -> list[str]:
    marked = [
        f"{table.name}.{column.name}"
        for table in database.tables.values()
        for column in table.columns.values()
        if column.verdict
    ]
    return _personal(marked, "columns")


def _personal_events(stream: events.StreamDraft) -> list[str]:
    marked = {
        key
        for event in stream.events.values()
        for key, found in (*event.required.items(), *event.optional.items())
        if found.verdict
    }
    return _personal(sorted(marked), "properties")


def _personal(marked: Sequence[str], what: str) -> list[str]:
    if not marked:
        return [f"No {what} look like personal data; you know better than a guess."]
    return [f"Marked as personal, {len(marked):,} {what}: {', '.join(marked)}."]
