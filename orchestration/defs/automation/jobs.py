"""What runs together and when: loading every hour and on arrival, everything at 02:00 UTC."""

import dagster as dg

from orchestration.dbt_project import landed_sources, relation_name
from orchestration.defs.automation.retention import RETENTION_LOG
from orchestration.defs.transformation.days import REBUILT_DAYS
from orchestration.landing_state import landing_fingerprint
from tallyhouse.settings import Settings

LOAD_JOB = "load_landing"
NIGHTLY_JOB = "run_everything"
REBUILD_JOB = "rebuild_days"


@dg.definitions
def automation() -> dg.Definitions:
    """Return jobs, schedules, the landing sensor and the executor they share.

    Steps run in one process: starting Dagster anew for each step costs more than most steps do.
    """
    landed = dg.AssetSelection.assets(
        dg.AssetKey(["ops", "load_manifest"]),
        *[dg.AssetKey([s["schema"], relation_name(s)]) for s in landed_sources()],
    )
    load = dg.define_asset_job(
        LOAD_JOB, selection=landed, description="Load what is new and check what was landed."
    )
    nightly = dg.define_asset_job(
        NIGHTLY_JOB,
        selection=dg.AssetSelection.all() - dg.AssetSelection.assets(REBUILT_DAYS, RETENTION_LOG),
        description="Load, check, build and test every model, train, predict, build what follows.",
    )
    rebuild = dg.define_asset_job(
        REBUILD_JOB,
        selection=dg.AssetSelection.assets(REBUILT_DAYS),
        description="Rebuild days of all that is kept by days, as `tallyhouse build --days`.",
    )
    return dg.Definitions(
        jobs=[load, nightly, rebuild],
        schedules=[
            dg.ScheduleDefinition(
                name="hourly_loading",
                job=load,
                cron_schedule="0 * * * *",
                execution_timezone="UTC",
                default_status=dg.DefaultScheduleStatus.RUNNING,
            ),
            dg.ScheduleDefinition(
                name="nightly_kpis",
                job=nightly,
                cron_schedule="0 2 * * *",
                execution_timezone="UTC",
                default_status=dg.DefaultScheduleStatus.RUNNING,
            ),
        ],
        sensors=[arriving_files],
        executor=dg.in_process_executor,
    )


@dg.sensor(
    name="arriving_files",
    job_name=LOAD_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Loads files as they arrive, without waiting for the hour.",
)
def arriving_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a load when the landing folder's listing has changed."""
    settings = Settings.from_env()
    if settings.why_no_landing:
        return dg.SkipReason(settings.why_no_landing)
    landing = settings.landing
    fingerprint, files = landing_fingerprint(landing)
    if not files:
        return dg.SkipReason(f"No files under {landing} yet.")
    if fingerprint == context.cursor:
        return dg.SkipReason(f"Nothing new among {files} files under {landing}.")
    context.update_cursor(fingerprint)
    return dg.RunRequest(run_key=fingerprint)
