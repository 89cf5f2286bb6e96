"""Whether the process of a run still lives, so that no run outlives it in Dagster's history.

Dagster's own launcher does not know: when all of its processes are killed in mid-run, the run would
stay `STARTED` for ever, and with one run at a time nothing after it would begin. `dagster.yaml`
(`app.dagster_home`) names this launcher; the monitoring daemon asks it, first when it starts.

Belongs here: the answer for one run. Does not belong here: what is done about it, which is
Dagster's.
"""

import socket

from dagster import DagsterEventType, DagsterRun
from dagster._core.launcher import (
    CheckRunHealthResult,
    DefaultRunLauncher,
    LaunchRunContext,
    WorkerStatus,
)

from tallyhouse.database.process import is_alive_since

HOST_TAG = "tallyhouse/host"


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster does, and knows whether the process of one is there."""

    supports_check_run_worker_health = True

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch the run and note on which machine."""
        self._instance.add_run_tags(context.dagster_run.run_id, {HOST_TAG: socket.gethostname()})
        super().launch_run(context)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Look for the process that the run's log names; another machine's is taken to be there."""
        host = socket.gethostname()
        if run.tags.get(HOST_TAG, host) != host:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        for entry in self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT):
            event = entry.dagster_event
            pid = event.engine_event_data.metadata.get("pid") if event else None
            if pid is not None:
                if is_alive_since(int(str(pid.value)), entry.timestamp):
                    return CheckRunHealthResult(WorkerStatus.RUNNING)
                return CheckRunHealthResult(
                    WorkerStatus.NOT_FOUND,
                    f"Process {pid.value}, which did the work, ended without a word; it was killed, "
                    "or the machine stopped. What it had finished stays, and the next run does the rest.",
                )
        return CheckRunHealthResult(WorkerStatus.RUNNING)
