"""Dagster only: which asset is made by which function, when, and what is shown.

Belongs here: definitions, schedules, sensors, asset checks and the wiring to settings and database.
Does not belong here: any work itself. That lies in `ingestion`, `app.pipeline`, `ml` and the
dbt models, and runs without Dagster just as well.
"""

import warnings

from dagster import BetaWarning

warnings.filterwarnings("ignore", category=BetaWarning)  # references to code
