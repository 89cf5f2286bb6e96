"""dlt beside us: the same events into the same server, by its default and by faster settings.

It is installed into an environment of its own (`benchmarks/.venv`, from `benchmarks/dlt.lock`),
when first measured. Belongs here: that environment, its runs, their lines. Does not belong here:
how dlt is called (`dlt_pipeline`, which runs in there).
"""

import os
import shutil
import statistics
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks.measure import ChildFailed, Cost
from benchmarks.plan import Bench
from benchmarks.report import Line, Report
from benchmarks.stores import last_json

HERE = Path(__file__).parent
LOCK = HERE / "dlt.lock"
ENVIRONMENT = HERE / ".venv"
SETTINGS = {
    "default": "its file source with `read_jsonl`, INSERT statements; nothing removed",
    "csv": "Arrow tables, appended with COPY of CSV; nothing removed",
    "parquet": "Arrow tables, appended as Parquet through ADBC; nothing removed",
    "merge": "as `parquet`, but one row of each event id is kept",
}
ON_A_PART = ("default", "csv")  # slow: their rate is taken on fewer events
GROUP = "Loading events, dlt"


class Rivals:
    """dlt's samples: rows a second for each setting."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._python = _install(bench)
        self._rates: dict[str, list[float]] = {setting: [] for setting in SETTINGS}
        self._problems: dict[str, str] = {}
        self._history = replace(bench.history, name="clean", is_clean=True)
        self._part = bench.site.folder / "landing" / "part"

    def sample(self) -> None:
        """One run of each setting."""
        if self._python is None:
            return
        for setting, rates in self._rates.items():
            if setting in self._problems:
                continue
            try:
                found = last_json(self._run(setting).output)
            except ChildFailed as error:
                self._problems[setting] = str(error).splitlines()[-1]
                continue
            rates.append(self._lines(setting) / found["seconds"])
            self._bench.say(f"  dlt {setting}: {rates[-1]:,.0f} rows/s")

    def tell(self, report: Report, ours: Sequence[float]) -> None:
        """A line for each setting, and ours beside the best."""
        for setting, problem in self._problems.items():
            report.missing.append(f"dlt, setting {setting}: {problem}")
        if self._python is None:
            report.missing.append("dlt could not be installed, see the run's output")
        rates = {name: found for name, found in self._rates.items() if found}
        for setting, found in rates.items():
            notes = [f"{SETTINGS[setting]}; {self._lines(setting):,} events; nothing checked"]
            report.add(Line(GROUP, f"dlt, {setting}", found, unit="rows/s", notes=notes))
        if rates:
            best = max(rates, key=lambda name: statistics.median(rates[name]))
            report.add(_beside(ours, rates[best], f"dlt's best ({best})", 2))
        if "merge" in rates:
            report.add(_beside(ours, rates["merge"], "dlt where it removes duplicates too", None))
        report.write()

    def clear(self) -> None:
        self._bench.forget(self._history)
        shutil.rmtree(self._part, ignore_errors=True)

    def _lines(self, setting: str) -> int:
        return self._bench.plan.dlt_part if setting in ON_A_PART else self._history.lines

    def _run(self, setting: str) -> Cost:
        assert self._python is not None
        landing = self._bench.landing(self._history)
        if setting in ON_A_PART:
            _copy_part(landing, self._part, self._bench.plan.dlt_part)
            landing = self._part
        files = sorted(map(str, landing.rglob("*.jsonl")))
        site, name = self._bench.site, f"dlt_{setting}"
        store = site.store(name)
        folder = site.folder / name
        script = str(HERE / "dlt_pipeline.py")
        try:
            return site.run(
                [str(self._python), script, setting, store.warehouse.url, str(folder), *files],
                {**os.environ, "HOME": str(folder), "DO_NOT_TRACK": "1"},
            )
        finally:
            store.drop()
            shutil.rmtree(folder, ignore_errors=True)


def _beside(ours: Sequence[float], rate: list[float], name: str, budget: float | None) -> Line:
    return Line(
        GROUP,
        "load, rows a second",
        ours,
        unit="rows/s",
        reference=rate,
        reference_name=name,
        budget=budget,
        at_least=True,
        notes=[
            "dlt's time is that of `pipeline.run` alone, ours that of the whole command; dlt reads"
            " the same events without the invalid lines, at which it stops, into one table a product"
        ]
        if budget
        else [],
    )


def _copy_part(landing: Path, part: Path, lines: int) -> None:
    """The first lines of each product's files."""
    products = sorted((landing / "events").iterdir())
    for product in products:
        target = part / "events" / product.name / "part.jsonl"
        if target.exists():
            continue
        target.parent.mkdir(parents=True)
        wanted = lines // len(products)
        with target.open("wb") as out:
            for path in sorted(product.iterdir()):
                with path.open("rb") as file:
                    for line in islice(file, wanted):
                        out.write(line)
                        wanted -= 1


def _install(bench: Bench) -> Path | None:
    """The Python that has dlt; None (and a word why) when it cannot be installed."""
    python, done = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".installed"
    if done.exists() and done.stat().st_mtime >= LOCK.stat().st_mtime:
        return python
    bench.say("installing dlt into benchmarks/.venv")
    try:
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        command = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "-r", str(LOCK)]
        subprocess.run([str(python), *command], check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        bench.say(f"dlt could not be installed ({error}); it is left out")
        return None
    done.touch()
    return python
