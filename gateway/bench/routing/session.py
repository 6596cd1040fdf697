"""One run with its progress shown: embed, then replay."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gateway.bench.routing import runner
from gateway.bench.routing.figures import Pass
from gateway.bench.routing.plan import Plan, Prepared, prepare, wordings
from gateway.bench.routing.recorded import Recorded
from gateway.bench.routing.runner import Task


def progress_bar(console: Console) -> Progress:
    """The look of all bars here; only a terminal gets to see them."""
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = not console.is_terminal
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden)


def prepared_with_bar(plan: Plan, data: Recorded, console: Console) -> Prepared:
    """Make ready; embedding is what takes time."""
    with progress_bar(console) as progress:
        bar = progress.add_task("embedding", total=len(data.prompts) * len(wordings(plan)))
        return prepare(plan, data, step=lambda count: progress.advance(bar, count))


def replayed(plan: Plan, data: Recorded, console: Console) -> tuple[Prepared, dict[Task, Pass]]:
    """Make ready, then run every pass. Raises :class:`~gateway.bench.routing.recorded.InvalidData`."""
    prepared = prepared_with_bar(plan, data, console)
    tasks = prepared.tasks(plan.seeds)
    passes: dict[Task, Pass] = {}
    with progress_bar(console) as progress:
        bar = progress.add_task("replaying", total=len(tasks))
        for task, found in runner.run(prepared.world, tasks, jobs=plan.jobs):
            passes[task] = found
            progress.advance(bar)
    return prepared, passes
