"""A run whose processes were all killed: it is failed, and the next one in the queue runs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.launcher import WorkerStatus

from app.dagster_home import instance_config
from orchestration.run_launcher import HOST_TAG, WatchedRunLauncher
from tests.patience import PATIENCE

LOCATION = """
import time
import dagster as dg

@dg.op
def sleep():
    time.sleep(600)

@dg.op
def nothing():
    pass

@dg.job
def long():
    sleep()

@dg.job
def short():
    nothing()

@dg.sensor(jobs=[long, short], default_status=dg.DefaultSensorStatus.RUNNING)
def both():
    yield dg.RunRequest(run_key="1", job_name="long")
    yield dg.RunRequest(run_key="2", job_name="short")

defs = dg.Definitions(jobs=[long, short], sensors=[both], executor=dg.in_process_executor)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Dagster's home as an installation has it, but for its storage, beside a small code location."""
    config = {**instance_config(tmp_path, longest_run=6)}
    del config["storage"]  # files will do
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "location.py").write_text(LOCATION)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@contextmanager
def daemon(home: Path) -> Iterator[None]:
    """Dagster's daemon with its code server and run workers; all of them are killed at the end."""
    process = subprocess.Popen(
        [Path(sys.executable).parent / "dagster-daemon", "run", "-f", "location.py"],
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def status_after_a_while(
    instance: dg.DagsterInstance, job: str, *awaited: dg.DagsterRunStatus
) -> dg.DagsterRunStatus | None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = instance.get_runs(dg.RunsFilter(job_name=job))
        if runs and runs[0].status in awaited:
            break
        time.sleep(0.5)
    return runs[0].status if runs else None


@pytest.mark.slow
def test_a_run_whose_processes_were_killed_is_failed_and_the_next_one_runs(home: Path) -> None:
    started, failed, succeeded = (
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.SUCCESS,
    )
    with dg.DagsterInstance.get() as instance:
        with daemon(home):
            assert status_after_a_while(instance, "long", started, failed) == started
        assert status_after_a_while(instance, "long", started) == started, "nobody was left to say"
        with daemon(home):
            assert status_after_a_while(instance, "short", succeeded, failed) == succeeded
        assert status_after_a_while(instance, "long", failed) == failed
        (run,) = instance.get_runs(dg.RunsFilter(job_name="long"))
        told = [entry.message for entry in instance.all_logs(run.run_id)]
        assert any("ended without a word" in text for text in told)


@dg.job
def one_job() -> None:
    """Nothing; runs need a job."""


@pytest.mark.parametrize(
    ("host", "is_alive", "began_before", "expected"),
    [
        (socket.gethostname(), True, 0, WorkerStatus.RUNNING),
        (socket.gethostname(), False, 0, WorkerStatus.NOT_FOUND),
        (socket.gethostname(), True, 3600, WorkerStatus.NOT_FOUND),  # the pid is another's by now
        ("another-machine", False, 0, WorkerStatus.RUNNING),
    ],
)
def test_a_run_lives_while_the_very_process_of_its_log_does(
    host: str, is_alive: bool, began_before: int, expected: WorkerStatus
) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        if not is_alive:
            process.kill()
            process.wait()
        launcher = WatchedRunLauncher()
        with dg.instance_for_test() as instance:
            launcher.register_instance(instance)
            run = instance.create_run_for_job(one_job, status=dg.DagsterRunStatus.STARTED)
            instance.add_run_tags(run.run_id, {HOST_TAG: host})
            instance.handle_new_event(started(run, process.pid, time.time() - began_before))
            found = instance.get_run_by_id(run.run_id)
            assert found
            assert launcher.check_run_worker_health(found).status == expected
    finally:
        process.kill()
        process.wait()


def started(run: dg.DagsterRun, pid: int, at: float) -> dg.EventLogEntry:
    """What a worker writes into the run's log when it begins."""
    event = DagsterEvent(
        event_type_value=dg.DagsterEventType.ENGINE_EVENT.value,
        job_name=run.job_name,
        message="Started process for run.",
        event_specific_data=EngineEventData.in_process(pid),
    )
    return dg.EventLogEntry(
        error_info=None,
        level=20,
        user_message="",
        run_id=run.run_id,
        timestamp=at,
        job_name=run.job_name,
        dagster_event=event,
    )
