"""How a long piece of work is shown: a moving bar on a terminal, plain lines otherwise.

Belongs here: what appears while something runs. Does not belong here: what came out (`summary`).
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

LINE_EVERY_SECONDS = 10.0


class Step:
    """One step of the work. `advance` and `note` may be called from several threads."""

    def __init__(self, title: str, reporter: "Reporter") -> None:
        self.title = title
        self._reporter = reporter
        self._started = self._spoken = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, text: str) -> None:
        """Say something that stays on the screen."""
        self._reporter.say(f"  {text}")

    def update(self, done: float, total: float | None, text: str = "") -> None:
        """How far it is, in any unit; without a total the bar only moves."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, text=text)
        elif time.monotonic() - self._spoken >= LINE_EVERY_SECONDS:
            self._spoken = time.monotonic()
            share = f" {100 * done / total:.0f} %" if total else ""
            self._reporter.say(f"{self.title}{share} {text}".rstrip())

    @property
    def seconds(self) -> float:
        """Since the step began."""
        return time.monotonic() - self._started

    def attach(self, bar: Progress) -> None:
        """Show this step as a bar."""
        self._bar, self._task = bar, bar.add_task(self.title, total=None, text="")


class Reporter:
    """Where progress goes: the terminal behind stderr, or lines of plain text."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self.quiet = quiet

    def say(self, text: str) -> None:
        """A line that stays."""
        if not self.quiet:
            self.console.print(text, markup=False)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A step with a beginning and an end; its time is told when it ends well."""
        step = Step(title, self)
        if self.quiet:
            yield step
            return
        if not self.console.is_terminal:
            self.say(f"{title} …")
            yield step
        else:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                TextColumn("{task.fields[text]}"),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=self.console, transient=True) as bar:
                step.attach(bar)
                yield step
        self.say(f"{title}: done in {step.seconds:.1f} s")
