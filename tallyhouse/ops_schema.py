"""The tables in which the warehouse remembers its own runs.

Belongs here: `ops.run_log`, the log of runs of the pipeline. Does not belong here: what a load
records (`ingestion.schema`) or a training (`ml.schema`).
"""

from typing import Any

import psycopg

DDL = """
create schema if not exists ops;

create table if not exists ops.run_log (
    run_id bigint generated always as identity primary key,
    job_name text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    fingerprint text,
    details jsonb not null default '{}'::jsonb
);

create index if not exists run_log_job_idx on ops.run_log (job_name, run_id desc);
"""


def apply(connection: psycopg.Connection[Any]) -> None:
    """Create what is missing; nothing that exists is touched."""
    connection.execute(DDL)
