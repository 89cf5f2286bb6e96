"""The tables in which the warehouse remembers its own runs.

Belongs here: `ops.run_log`, the log of runs of the pipeline, and how far the models have come
(written by `macros/incremental`). Does not belong here: what a load records (`ingestion.schema`) or
a training (`ml.schema`).
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
    details jsonb not null default '{}'::jsonb,
    unique (job_name, run_id)  -- for the newest runs of a job
);

-- how far each incremental model has come, and the code and seeds it was built from
create table if not exists ops.model_watermarks (
    model_name text primary key,
    last_load_id bigint not null,
    fingerprint text not null
);

-- the time zone under which each incremental model dated a tenant's rows
create table if not exists ops.model_timezones (
    model_name text not null,
    tenant_id uuid not null,
    timezone text not null,
    primary key (model_name, tenant_id)
);

-- the newest load when each run of dbt began: no model claims to hold a later one
create table if not exists ops.build_bounds (
    invocation_id text primary key,
    last_load_id bigint not null,
    began_at timestamptz not null default now()
);

-- the days on which a model replaced rows, for the models after it (macros/incremental/day_log.sql)
create table if not exists ops.replaced_days (
    model_name text not null,
    after_load_id bigint not null,
    load_id bigint not null,
    tenant_id uuid,
    date_key date
);
"""


def apply(connection: psycopg.Connection[Any]) -> None:
    """Create what is missing; nothing that exists is touched."""
    connection.execute(DDL)
