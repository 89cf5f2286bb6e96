"""The sensor that takes over what the command line did while Dagster runs."""

import dagster as dg

from orchestration.runs_told import take_over
from orchestration.warehouse import WarehouseResource

SECONDS = 15.0  # of a tick, which Dagster gives up after a minute


@dg.definitions
def command_line() -> dg.Definitions:
    """Return the sensor that reads what runs of the command line left."""
    return dg.Definitions(sensors=[runs_of_the_command_line])


@dg.sensor(
    name="runs_of_the_command_line",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Shows what `tallyhouse run` loaded, built and tested as if Dagster had done it.",
)
def runs_of_the_command_line(
    context: dg.SensorEvaluationContext, house: WarehouseResource
) -> dg.SkipReason:
    """Take over what a tick has time for, and say how much that was; no run is asked for."""
    return dg.SkipReason(str(take_over(context.instance, house, SECONDS)))
