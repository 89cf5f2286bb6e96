"""One build by dbt: of everything, of a selection, or of what is due, and what was left out.

Whatever is built is entered into the ledger of builds node by node. Belongs here: running dbt by a
plan. Does not belong here: what is due (`build_plan`), what is remembered (`build_ledger`), what a
run does before and after (`pipeline`).
"""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from typing import Any

import psycopg

from app import build_ledger
from app.build_plan import Plan, Project, fingerprint
from ingestion import quality
from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Step
from tallyhouse.settings import Settings

PREDICTIONS_FOLDER = "models/staging/predictions"
PREDICTIONS = f"path:{PREDICTIONS_FOLDER}+"  # what training feeds, in dbt's selection syntax
VERSIONS = ("dbt-core", "dbt-postgres")
DUE = (
    "due"  # the tag of what a run of dbt selects; by hundreds of names it would search for minutes
)
Event = Callable[[Any], None]


@dataclass
class Built:
    """What came of a build: dbt's outcome, models, seeds and snapshots by name, what failed by id.

    `broken` are landed tables with what they do not meet, `barred` what was not built because it
    reads one.
    """

    outcome: dbt.DbtOutcome = field(default_factory=lambda: dbt.DbtOutcome(True))
    built: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    broken: dict[str, list[str]] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)

    def __add__(self, other: "Built") -> "Built":
        """Two builds of one run; what one of them built was not left out."""
        built = self.built | other.built
        left_out = (self.left_out | other.left_out) - built
        return Built(
            self.outcome + other.outcome,
            built,
            self.failed | other.failed,
            left_out,
            {**self.broken, **other.broken},
            self.barred | other.barred,
        )

    @property
    def warnings(self) -> list[str]:
        """A sentence for each landed table that does not meet its expectations."""
        if not self.broken:
            return []
        return [
            *(
                f"{table} does not meet what is expected of it: {'; '.join(failures)}."
                for table, failures in sorted(self.broken.items())
            ),
            f"{len(self.barred)} models, seeds and snapshots read this and were not built, all else "
            "was. Mend the rows or their source and run again.",
        ]

    @property
    def sentence(self) -> str:
        """How much was built, e.g. for the log."""
        return told(len(self.built), len(self.left_out))


def told(built: int, left_out: int) -> str:
    """How much was built and left out, as a sentence."""
    if not built:
        return "Nothing was built: nothing that the models read has changed."
    if not left_out:
        return f"All {built} models, seeds and snapshots built."
    return (
        f"{built} of {built + left_out} models, seeds and snapshots built; {left_out} left out: "
        "nothing that they read has changed."
    )


def build(
    settings: Settings,
    warehouse: Warehouse,
    progress: Step | None = None,
    *,
    full_refresh: bool = False,
    select: str | None = None,
    days: tuple[date, date] | None = None,
    on_event: Event | None = None,
) -> Built:
    """Everything, or what dbt's selection syntax names, with its tests. A failing test fails it.

    `days` (first and last) are rebuilt, and what depends on them, though nothing of them changed.
    """
    with _opened(settings, warehouse) as at:
        at.refuse_unnamed(select or "")
        names = ["--select", select] if select else []
        names += days_to_rebuild(*days) if days else []
        in_full = full_refresh or (select is None and at.plan.needs_full_refresh(at.project.built))
        at.carry_forward(at.plan.due())
        receivers = _all_of(_counter(progress), on_event)
        built = at.dbt(names, in_full=in_full, on_event=receivers)
    return _checked(built)


def days_to_rebuild(first: date, last: date) -> list[str]:
    """The words for dbt that make each incremental model rebuild those days."""
    asked = {"first": first.isoformat(), "last": last.isoformat()}
    return ["--vars", json.dumps({"rebuilt_days": asked})]


def build_due(
    settings: Settings,
    warehouse: Warehouse,
    progress: Step | None = None,
    *,
    predictions: bool,
    full_refresh: bool = False,
    on_event: Event | None = None,
    parsed: "Parsed | None" = None,
) -> Built:
    """What is due and its tests: of what training feeds (`predictions`), or of all the rest.

    With `full_refresh` all of that part is due, and incremental models are built in full. What
    fails keeps from being built what reads it, as within one run of dbt; so does a landed table
    that does not meet its expectations, which is told (`Built.warnings`) and raises nothing. Builds
    of one run may share what was `parsed`.
    """
    with _opened(settings, warehouse, parsed) as at:
        fed = at.project.below(PREDICTIONS_FOLDER)
        part = fed if predictions else at.project.nodes.keys() - fed
        built = Built(broken=at.broken)
        barred = at.readers_of(built.broken)
        built.barred = at.names(part & barred)
        while True:
            due = at.project.nodes if full_refresh else at.plan.due()
            at.carry_forward(due)
            waiting = [node_id for node_id in due if node_id in part and node_id not in barred]
            if not waiting:
                break
            wave = frozenset(waiting) if full_refresh else at.plan.next_wave(waiting)
            with at.tagged(wave.intersection(waiting)):
                built += at.dbt(
                    ["--no-write-json", "--indirect-selection", "empty", "--select", f"tag:{DUE}"],
                    in_full=full_refresh or at.plan.needs_full_refresh(wave & at.project.built),
                    on_event=_all_of(_counter(progress), on_event),
                )
            barred |= wave | at.barred_by(built.failed)
        built.left_out = at.names(part) - built.built - built.barred
    return _checked(built)


def _checked(built: Built) -> Built:
    if not built.outcome.success:
        shown = "\n".join(f"  - {text}" for text in built.outcome.failures[:20])
        raise TallyhouseError(
            f"The build failed; what was built before stays.\n{shown}\nThe whole log is in "
            "logs/dbt.log; mend the cause and run again."
        )
    return built


@dataclass
class _Opened:
    """The project as it is now, beside what the warehouse holds of it."""

    settings: Settings
    warehouse: Warehouse
    connection: psycopg.Connection[Any]
    manifest: Any
    project: Project
    plan: Plan
    newest_load: int
    broken: dict[str, list[str]]

    def names(self, ids: Collection[str]) -> set[str]:
        """The models, seeds and snapshots among these, by name."""
        return {
            self.project.nodes[node_id].name for node_id in self.project.built.intersection(ids)
        }

    def readers_of(self, tables: Collection[str]) -> set[str]:
        """What reads these landed tables; all tables of a source stand for its changes."""
        broken = {
            source_id
            for source_id, source in self.project.sources.items()
            if not {
                f"{source['schema']}.{source['identifier']}",
                f"{source['schema']}.changes",
            }.isdisjoint(tables)
        }
        return self.project.after(broken) - broken

    def carry_forward(self, due: Collection[str]) -> None:
        build_ledger.carry_forward(self.connection, self.project, due, self.newest_load)

    def refuse_unnamed(self, select: str) -> None:
        """Each word of a selection must name something: one that is mistyped would be left out unsaid."""
        for word in select.split():
            if not dbt.selected(word, self.settings, self.warehouse, self.manifest):
                raise TallyhouseError(
                    f"Nothing here is named by --select {word}. `dbt ls --select …` shows what is."
                )

    def dbt(self, selection: list[str], *, in_full: bool, on_event: Event | None) -> Built:
        recorder = build_ledger.Recorder(self.connection, self.plan, in_full=in_full)
        outcome = dbt.run(
            ["build", *(["--full-refresh"] if in_full else []), *selection],
            self.settings,
            warehouse=self.warehouse,
            project=self.manifest,
            on_event=_all_of(recorder, on_event),
        )
        return Built(outcome, self.names(recorder.passed), recorder.failed)

    @contextmanager
    def tagged(self, ids: Collection[str]) -> Iterator[None]:
        """These nodes, and no others, bear the tag DUE."""
        chosen = [node for key, node in self.manifest.nodes.items() if key in ids]
        chosen += [test.config for key, test in self.manifest.unit_tests.items() if key in ids]
        before = [bearer.tags for bearer in chosen]
        for bearer in chosen:
            bearer.tags = [DUE]
        try:
            yield
        finally:
            for bearer, tags in zip(chosen, before, strict=True):
                bearer.tags = tags

    def barred_by(self, failed: Collection[str]) -> set[str]:
        """What must not be built after these failed: what reads them, or the tables they tested."""
        tests = [node_id for node_id in failed if node_id not in self.project.built]
        tested = {read for node_id in tests for read in self.project.nodes[node_id].reads}
        return self.project.after([*failed, *tested])


@dataclass(frozen=True)
class Parsed:
    """dbt's manifest of the project, and what follows from it."""

    manifest: Any
    project: Project


def parse(settings: Settings, warehouse: Warehouse) -> Parsed:
    """Read the project as it is now."""
    manifest = dbt.read_project(settings, warehouse)
    with warehouse.connect() as connection:
        cut = build_ledger.cut_as_of(connection, settings.as_of)
    project = Project(
        manifest.writable_manifest().to_dict(omit_none=False),
        settings.root,
        fingerprint(
            *(path.read_text("utf-8") for path in sorted(settings.root.glob("*.yml"))),
            *(f"{name} {version(name)}" for name in VERSIONS),
            *([cut] if cut else []),
        ),
    )
    return Parsed(manifest, project)


@contextmanager
def _opened(
    settings: Settings, warehouse: Warehouse, parsed: Parsed | None = None
) -> Iterator[_Opened]:
    parsed = parsed or parse(settings, warehouse)
    manifest, project = parsed.manifest, parsed.project
    with warehouse.connect(autocommit=True) as connection:
        # a note that is lost with the machine makes a node due again, nothing worse
        connection.execute("set synchronous_commit = off")
        newest = build_ledger.newest_load(connection)
        plan = Plan(project, build_ledger.read_state(connection, project, settings.as_of))
        broken = quality.broken(connection)
        yield _Opened(settings, warehouse, connection, manifest, project, plan, newest, broken)


def _all_of(*receivers: Event | None) -> Event:
    def tell(event: Any) -> None:
        for receiver in receivers:
            if receiver is not None:
                receiver(event)

    return tell


def _counter(progress: Step | None) -> Event | None:
    return _NodeCounter(progress) if progress else None


class _NodeCounter:
    """Turns dbt's events into progress: nodes finished of nodes in all."""

    def __init__(self, step: Step) -> None:
        self.step, self.done, self.total = step, 0, 0

    def __call__(self, event: Any) -> None:
        if event.info.name == "LogStartLine":
            self.total = max(self.total, int(event.data.total))
        elif event.info.name == "NodeFinished":
            self.done += 1
            name = event.data.node_info.node_name
            self.step.update(self.done, max(self.total, self.done), f"{self.done} {name[:50]}")
