"""What a build has to make again, and why: arithmetic on dbt's manifest and on what is known of earlier builds.

Every node of dbt (model, seed, snapshot, test, unit test) has two fingerprints: `code`, over its own
definition and all definitions before it, and `inputs`, over the versions of all that it reads. A
node is due when the ledger holds other ones, or when something it reads is due. Whatever is not
known counts as changed: a build may do too much, never too little.

A whole table that incremental models read is compared: when its rows come out as they were, what
reads it is not due on its account. Such tables are built first, in a wave of their own, where that
may spare enough.

Belongs here: fingerprints, what is due, the next wave. Does not belong here: the database
(`build_ledger`) and running dbt (`pipeline`).
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

BUILT = ("model", "seed", "snapshot")
KINDS = (*BUILT, "test", "unit_test")
# what of a node's entry in the manifest decides its rows, or whether a test passes
DEFINITION = (
    *("raw_code", "config", "constraints", "contract", "schema", "alias", "access", "group"),
    *("test_metadata", "column_name", "model", "given", "expect", "overrides", "versions"),
)
COLUMN_DEFINITION = ("name", "data_type", "constraints", "quote")
AS_OF_DATE, AS_OF = "as_of_date", "as_of"  # macros: the date in a time zone at as_of, the instant
WORTH_A_WAVE = 5  # models spared: what starting dbt once more costs
TENANTS = "dim_tenant"  # whose time zones those are
INSTANT, TENANT_DATES, UTC_DATE = "instant", "dates of tenants", "date in UTC"

NEVER_BUILT = "was never built"
CODE_CHANGED = "is built from other code or reference data"
NOT_FINISHED = "was not finished last time"
GONE = "is not in the database"
INPUTS_CHANGED = "reads something that changed"
READS_DUE = "reads something that is built anew"
EVERYTHING = "everything"  # in the meta of a test, at `reads`: it looks at all that is built


def fingerprint(*parts: object) -> str:
    """One hash over texts; their borders count."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Node:
    """A node of dbt. `reads` are nodes and sources; `words` describe it without changing a row."""

    node_id: str
    name: str
    kind: str
    path: str
    materialized: str
    relation: str
    reads: tuple[str, ...]
    code: str
    words: str
    as_of: str | None
    reads_everything: bool = False

    @property
    def is_view(self) -> bool:
        """A view holds no rows: what it reads shows through it at once."""
        return self.materialized == "view"


@dataclass(frozen=True)
class Held:
    """What the ledger says that a node holds.

    `inputs` is None when its last build is not known to have ended well; `rows` is the digest of
    the rows of a compared table.
    """

    code: str
    inputs: str | None
    rows: str | None = None


@dataclass
class State:
    """What the database says: `versions` of sources by id, `as_of` as instant and as dates.

    `relations` are the tables and views that are there.
    """

    versions: Mapping[str, str]
    as_of: dict[str, str]
    held: dict[str, Held]
    relations: set[str]


class Project:
    """The nodes of a manifest in the order in which they can be built.

    `common` stands for what every node depends on beside the manifest; the content of seeds is
    read from their files, because dbt's own checksum of a large one is that of its path.
    """

    def __init__(self, manifest: Mapping[str, Any], root: Path, common: str = "") -> None:
        entries = {
            node_id: entry
            for section in ("nodes", "unit_tests")
            for node_id, entry in manifest.get(section, {}).items()
            if entry["resource_type"] in KINDS
        }
        project = manifest["metadata"]["project_name"]
        own = {k: v for k, v in manifest["macros"].items() if v["package_name"] == project}
        common = fingerprint(common, *(f"{k} {own[k]['macro_sql']}" for k in sorted(own)))
        calls = _Calls(own)
        self.sources: Mapping[str, Any] = manifest["sources"]
        self.nodes: dict[str, Node] = {}
        for node_id in _in_order(entries):
            entry = entries[node_id]
            reads = tuple(
                read
                for read in dict.fromkeys(entry["depends_on"].get("nodes", ()))
                if read in entries or read in self.sources
            )
            before = (self.nodes[read].code for read in reads if read in self.nodes)
            self.nodes[node_id] = Node(
                node_id=node_id,
                name=entry["name"],
                kind=entry["resource_type"],
                path=entry["original_file_path"],
                materialized=entry["config"].get("materialized") or "",
                relation=f"{entry.get('schema')}.{entry.get('alias') or entry['name']}",
                reads=reads,
                code=fingerprint(common, _definition(entry, root), *before),
                words=fingerprint(_json([entry.get("description"), entry.get("columns")])),
                as_of=calls.as_of(entry),
                reads_everything=(entry["config"].get("meta") or {}).get("reads") == EVERYTHING,
            )
        self._date_in_utc()

    def _date_in_utc(self) -> None:
        """Who comes before the tenants knows no other time zone."""
        after = self.after(n.node_id for n in self.nodes.values() if n.name == TENANTS)
        for node in list(self.nodes.values()):
            if node.as_of == TENANT_DATES and node.node_id not in after:
                self.nodes[node.node_id] = replace(node, as_of=UTC_DATE)

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """Source or node → the nodes that read it."""
        found: dict[str, list[str]] = {}
        for node in self.nodes.values():
            for read in node.reads:
                found.setdefault(read, []).append(node.node_id)
        return found

    @cached_property
    def compared(self) -> frozenset[str]:
        """The whole tables that an incremental model reads."""
        return frozenset(
            read
            for node in self.nodes.values()
            if node.materialized == "incremental"
            for read in node.reads
            if read in self.nodes and self.nodes[read].materialized == "table"
        )

    @cached_property
    def built(self) -> frozenset[str]:
        """Models, seeds and snapshots."""
        return frozenset(n.node_id for n in self.nodes.values() if n.kind in BUILT)

    def below(self, path: str) -> frozenset[str]:
        """The nodes whose file lies in this folder, with all that reads them."""
        inside = {n.node_id for n in self.nodes.values() if n.path.startswith(f"{path}/")}
        return frozenset(inside | self.after(inside))

    def after(self, ids: Iterable[str]) -> set[str]:
        """All that reads these nodes, directly or not."""
        return _closure(ids, lambda node_id: self.readers.get(node_id, ()))

    def before(self, ids: Iterable[str]) -> set[str]:
        """All nodes that these read, directly or not."""
        return _closure(ids, self._nodes_read)

    def _nodes_read(self, node_id: str) -> Iterable[str]:
        return (read for read in self.nodes[node_id].reads if read in self.nodes)


class Plan:
    """What is due in this state; `record` enters what was built, so that the next wave knows."""

    def __init__(self, project: Project, state: State) -> None:
        self.project, self.state = project, state
        self._seen: dict[str, str | None] = {}
        self.due()

    def due(self, unchanged: Collection[str] = ()) -> dict[str, str]:
        """Node → why it has to be built, in building order.

        With `unchanged`, as if those tables came out of their build with the rows they had.
        """
        due: dict[str, str] = {}
        seen: dict[str, str | None] = dict(
            self.state.versions
        )  # None: not known before it is built
        for node in self.project.nodes.values():
            reads_due = any(seen[read] is None for read in node.reads)
            inputs = None if reads_due else self._inputs(node, seen)
            reason = self._reason(node, inputs)
            if reason is not None:
                due[node.node_id] = reason
            if node.node_id in unchanged:
                seen[node.node_id] = self.state.held[node.node_id].rows
            elif reason is not None:
                seen[node.node_id] = None
            else:
                seen[node.node_id] = self._shown(node, seen)
        if not unchanged:
            self._seen = seen
        if self.project.built.intersection(due):
            for node in self.project.nodes.values():
                if node.reads_everything:
                    due.setdefault(node.node_id, READS_DUE)
        return due

    def next_wave(self, due: Collection[str]) -> frozenset[str]:
        """What to build next of these: first the compared tables that may spare others.

        A wave holds what its tables read, and the tests of which every part is built by then.
        """
        maybe = frozenset(
            node_id
            for node_id in self.project.compared.intersection(due)
            if (held := self.state.held.get(node_id)) is not None and held.rows is not None
        )
        spared = self._spared(due, maybe)
        if len(spared) < WORTH_A_WAVE:
            return frozenset(due)
        useful = {one for one in maybe if self._spared(due, maybe - {one}) != spared} or set(maybe)
        first = {one for one in useful if one not in self._spared(due, useful - {one})}
        wave = (first | self.project.before(first)).intersection(due)
        tests = (
            self.project.nodes[node_id] for node_id in due if node_id not in self.project.built
        )
        wave |= {
            test.node_id
            for test in tests
            if not test.reads_everything
            and not any(read in due and read not in wave for read in test.reads)
        }
        return frozenset(wave)

    def record(self, node_id: str, *, rows: str | None = None, in_full: bool) -> Held | None:
        """Enter that a node was built or passed; gives what it holds now.

        None when nobody can say: something it reads is not up to date itself, or an incremental
        model that holds rows of other code was not built in full.
        """
        node = self.project.nodes[node_id]
        held = self.state.held.get(node_id)
        is_mixed = (
            node.materialized == "incremental"
            and node.relation in self.state.relations
            and (held is None or held.code != node.code)
            and not in_full
        )
        if is_mixed or any(
            self._seen[read] is None for read in node.reads if node.kind != "unit_test"
        ):
            return None
        now = Held(node.code, self._inputs(node, self._seen), rows)
        self.state.held[node_id] = now
        self._seen[node_id] = self._shown(node, self._seen)
        if node.kind in BUILT:
            self._swap_in(node)
        return now

    def needs_full_refresh(self, ids: Iterable[str]) -> bool:
        """Whether one of these keeps rows that may have been made by other code or seeds."""
        return any(
            (node.materialized == "incremental" or node.kind == "seed")
            and node.relation in self.state.relations
            and ((held := self.state.held.get(node.node_id)) is None or held.code != node.code)
            for node in map(self.project.nodes.__getitem__, ids)
        )

    def _reason(self, node: Node, inputs: str | None) -> str | None:
        """Why a node is due; `inputs` is None when something that it reads is."""
        held = self.state.held.get(node.node_id)
        if held is None:
            return NEVER_BUILT
        is_compared = node.node_id in self.project.compared
        reasons = {
            CODE_CHANGED: held.code != node.code,
            NOT_FINISHED: held.inputs is None or (is_compared and held.rows is None),
            GONE: node.kind in BUILT and node.relation not in self.state.relations,
            READS_DUE: inputs is None,
            INPUTS_CHANGED: inputs is not None and inputs != held.inputs,
        }
        if node.kind == "unit_test":  # knows the code alone
            reasons |= {READS_DUE: False, INPUTS_CHANGED: False}
        return next((reason for reason, holds in reasons.items() if holds), None)

    def _inputs(self, node: Node, seen: Mapping[str, str | None]) -> str:
        """What a node's rows, or a test's verdict, were computed from; of a view, its words."""
        if node.is_view or node.kind == "unit_test":
            return node.words
        moment = self.state.as_of[node.as_of] if node.as_of else ""
        return fingerprint(node.words, moment, *(f"{read} {seen[read]}" for read in node.reads))

    def _shown(self, node: Node, seen: Mapping[str, str | None]) -> str | None:
        """The version of a node that is not due, as its readers see it."""
        if node.node_id in self.project.compared:
            return self.state.held[node.node_id].rows
        if node.is_view:
            moment = self.state.as_of[node.as_of] if node.as_of else ""
            return fingerprint(node.words, moment, *(f"{r} {seen[r]}" for r in node.reads))
        return self._inputs(node, seen)

    def _spared(self, due: Collection[str], unchanged: Collection[str]) -> frozenset[str]:
        """The models that would not be due if those tables came out unchanged."""
        return self.project.built.intersection(due) - self.due(unchanged).keys()

    def _swap_in(self, node: Node) -> None:
        """The relation is there; views on the one that it replaced went with that."""
        self.state.relations.add(node.relation)
        for reader in map(
            self.project.nodes.__getitem__, self.project.readers.get(node.node_id, ())
        ):
            if reader.is_view:
                self.state.relations.discard(reader.relation)


class _Calls:
    """Which macros of the project lead to `as_of`, by dbt's own edges and by what their text calls.

    dbt notes what was called while it parsed; a call in a branch that parsing does not take is
    found in the text.
    """

    def __init__(self, macros: Mapping[str, Any]) -> None:
        self._names = {entry["name"]: macro_id for macro_id, entry in macros.items()}
        self._called = {
            macro_id: {*entry["depends_on"].get("macros", ()), *self._in_text(entry["macro_sql"])}
            for macro_id, entry in macros.items()
        }
        self._date = self._leading_to(self._names.get(AS_OF_DATE), stop=None)
        self._instant = self._leading_to(self._names.get(AS_OF), stop=self._names.get(AS_OF_DATE))

    def as_of(self, entry: Mapping[str, Any]) -> str | None:
        """INSTANT, TENANT_DATES or None: what of as_of a node of the manifest depends on."""
        text = f"{entry.get('raw_code') or ''} {_json(entry['config'])}"
        called = {*entry["depends_on"].get("macros", ()), *self._in_text(text)}
        if called & self._instant:
            return INSTANT
        return TENANT_DATES if called & self._date else None

    def _in_text(self, text: str) -> set[str]:
        text = re.sub(r"\bvar\(\s*[\"']\w+[\"']", "", text)  # a var of a macro's name is none
        words = re.findall(r"([a-z_]\w*)\s*\(|[\"']([a-z_]\w*)[\"']", text)
        return {self._names[word] for pair in words for word in pair if word in self._names}

    def _leading_to(self, macro_id: str | None, stop: str | None) -> set[str]:
        callers: dict[str, list[str]] = {}
        for caller, called in self._called.items():
            for one in called if caller != stop else ():
                callers.setdefault(one, []).append(caller)
        start = [macro_id] if macro_id else []
        return {*start, *_closure(start, lambda one: callers.get(one, ()))}


def _definition(entry: Mapping[str, Any], root: Path) -> str:
    columns = {
        name: {key: column.get(key) for key in COLUMN_DEFINITION}
        for name, column in (entry.get("columns") or {}).items()
    }
    parts = [_json({key: entry.get(key) for key in DEFINITION}), _json(columns)]
    if entry["resource_type"] == "seed":
        parts.append(hashlib.sha256((root / entry["original_file_path"]).read_bytes()).hexdigest())
    return fingerprint(*parts)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _in_order(entries: Mapping[str, Any]) -> list[str]:
    """The nodes, each after all that it reads."""
    from graphlib import TopologicalSorter

    graph = {
        node_id: [read for read in entry["depends_on"].get("nodes", ()) if read in entries]
        for node_id, entry in sorted(entries.items())
    }
    return list(TopologicalSorter(graph).static_order())


def _closure(start: Iterable[str], following: Any) -> set[str]:
    found: set[str] = set()
    pending = list(start)
    while pending:
        for one in following(pending.pop()):
            if one not in found:
                found.add(one)
                pending.append(one)
    return found
