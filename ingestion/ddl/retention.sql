-- How long records live. Rules are the seed retention_rules (governance.retention_policies); what follows is what
-- was done by them, and what may not be done.

-- Days of UTC of which the raw events of a tenant are gone, or partly gone: the door of a load counts events of these
-- days and stores none, and models keep the rows that they have of them. gone_before: nothing that happened earlier is
-- left, but for held days. held_days: closed ones that a hold stands over, of which rows may be left. fact_days,
-- fact_local_days: days of UTC and of the tenant's calendar of which rows of core.fact_events are gone, too: what is
-- computed from these keeps the rows that it has of them.
create table if not exists ops.closed_days (
    product text not null,
    tenant_id uuid not null,
    days datemultirange not null,
    held_days datemultirange not null default '{}',
    fact_days datemultirange not null default '{}',
    fact_local_days datemultirange not null default '{}',
    gone_before timestamptz not null,
    primary key (product, tenant_id)
);

-- What may not go whatever its age: days of tenants (the first and the last included; null is open), of all tenants
-- where tenant_id is null, of all products or datasets where that is *. A hold that was lifted stays as a record.
create table if not exists ops.legal_holds (
    hold_id bigint generated always as identity primary key,
    product text not null,
    tenant_id uuid,
    dataset text not null check (dataset in ('*', 'raw_events', 'event_facts', 'job_runs')),
    first_day date,
    last_day date,
    reason text not null,
    placed_by text not null,
    placed_at timestamptz not null default now(),
    lifted_by text,
    lifted_at timestamptz,
    check (first_day <= last_day),
    check ((lifted_at is null) = (lifted_by is null))
);

-- What went, or was held, in each clean-up. Days of what went are tenants' own where a row has a tenant; held
-- ones are of UTC, as a hold keeps these as a whole. freed_bytes is a row's share
-- of the partitions that were dropped; deleted rows free nothing before the table is vacuumed.
create table if not exists ops.retention_log (
    log_id bigint generated always as identity primary key,
    cleanup_id uuid not null,
    as_of timestamptz not null,
    product text not null,
    tenant_id uuid,
    dataset text not null,
    how text not null check (how in ('partition_dropped', 'rows_deleted', 'content_removed', 'held')),
    first_day date not null,
    last_day date not null,
    row_count bigint not null,
    freed_bytes bigint not null default 0,
    kept_from_date date,
    rule text not null,
    logged_at timestamptz not null default now(),
    unique nulls not distinct (cleanup_id, product, tenant_id, dataset, how)
);

-- Days of tenants whose files in the lake still hold what went from raw_events.events.
create table if not exists ops.lake_due (
    event_date date not null,
    tenant_id uuid not null,
    primary key (event_date, tenant_id)
);
