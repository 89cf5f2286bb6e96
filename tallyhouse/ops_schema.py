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

-- the landing folder that this warehouse loads from (app/landing_folder.py)
create table if not exists ops.landing_folder (
    is_one boolean primary key default true check (is_one),
    place text not null,
    since timestamptz not null default clock_timestamp()
);

-- what each node of dbt holds, and each model that is learned (app/build_ledger.py): inputs is null
-- until its last build is known to have ended well
create table if not exists ops.node_builds (
    node_id text primary key,
    code text not null,
    inputs text,
    rows_digest text,
    built_at timestamptz not null default clock_timestamp()
);

-- what each incremental model holds: its newest load, the code and seeds it was built from, the number
-- of its newest build that changed rows, and of the build since which the log of its changes is complete;
-- of a model that keeps its rows of closed days (ops.closed_days) its columns of the changes in ops.replaced_keys;
-- the moment as of which it speaks, where more was loaded than it holds
create table if not exists ops.model_watermarks (
    model_name text primary key,
    last_load_id bigint not null,
    fingerprint text not null,
    build_id bigint not null default 0,
    log_start bigint not null default 0,
    history_columns jsonb,
    cut_as_of text
);

-- the newest build of a model before it whose changes each incremental model has taken over
create table if not exists ops.model_reads (
    model_name text not null,
    upstream_name text not null,
    build_id bigint not null,
    primary key (model_name, upstream_name)
);

-- the newest load when each run of dbt began: no model claims to hold a later one
create table if not exists ops.build_bounds (
    invocation_id text primary key,
    last_load_id bigint not null,
    began_at timestamptz not null default now()
);

-- the log of changes: for each build of a model the keys of the rows that came, went or changed
create table if not exists ops.replaced_keys (
    model_name text not null,
    build_id bigint not null,
    tenant_id uuid,
    user_id uuid,
    anonymous_id text,
    utc_day date,
    local_day date,
    entity_key text,
    customer_id uuid,
    payment_id uuid,
    invoice_id uuid
);

-- what came later to an earlier version's tables; asked first, because altering a table waits for everybody who uses it
do $$
declare
    missing record;
begin
    for missing in
        select relation, string_agg(format('add column %I %s', column_name, definition), ', ') as columns
        from (
            values
            ('ops.model_watermarks'::regclass, 'build_id', 'bigint not null default 0'),
            ('ops.model_watermarks', 'log_start', 'bigint not null default 0'),
            ('ops.model_watermarks', 'history_columns', 'jsonb'),
            ('ops.model_watermarks', 'cut_as_of', 'text'),
            ('ops.replaced_keys', 'entity_key', 'text'),
            ('ops.replaced_keys', 'customer_id', 'uuid'),
            ('ops.replaced_keys', 'payment_id', 'uuid'),
            ('ops.replaced_keys', 'invoice_id', 'uuid')
        ) as wanted (relation, column_name, definition)
        where not exists (
            select from pg_attribute
            where attrelid = wanted.relation and attname = wanted.column_name
        )
        group by relation
    loop
        execute format('alter table %s %s', missing.relation, missing.columns);
    end loop;
end $$;
do $$
begin
    if to_regclass('ops.replaced_keys_build') is null then
        create index replaced_keys_build on ops.replaced_keys (model_name, build_id);
    end if;
end $$;

-- what earlier versions remembered instead
drop table if exists ops.model_timezones;
drop table if exists ops.replaced_days;
"""


def apply(connection: psycopg.Connection[Any]) -> None:
    """Create what is missing; nothing that exists is touched."""
    connection.execute(DDL)
