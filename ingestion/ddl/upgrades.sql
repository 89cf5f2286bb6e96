-- Brings a store of an earlier version to the columns of today. A column is asked for first, because
-- altering a table waits for everybody who reads it.

do $$
declare
    missing record;
    key_table regclass;
begin
    for missing in
        select wanted.* from (
            values
            ('ops.load_manifest', 'withdrawn_count', 'bigint not null default 0'),
            ('ops.load_manifest', 'expired_count', 'bigint not null default 0'),
            ('ops.load_manifest', 'event_dates', 'date []'),
            ('ops.closed_days', 'fact_days', 'datemultirange not null default ''{}'''),
            ('ops.closed_days', 'fact_local_days', 'datemultirange not null default ''{}'''),
            ('ops.load_manifest', 'contract', 'text'),
            ('ops.load_manifest', 'newest_received_at', 'timestamptz'),
            ('ops.load_manifest', 'newest_claimed_at', 'timestamptz'),
            ('ops.source_watermarks', 'max_claimed_at', 'timestamptz'),
            ('raw_cdc.folded_tables', 'newest_instant', 'timestamptz'),
            ('ops.schema_drift', 'schema_name', 'text'),
            ('ops.schema_drift', 'first_file', 'text'),
            ('ops.schema_drift', 'first_line', 'bigint'),
            ('ops.schema_drift', 'last_file', 'text'),
            ('ops.schema_drift', 'last_line', 'bigint'),
            ('ops.schema_drift', 'first_seen_at', 'timestamptz not null default now()'),
            ('ops.schema_drift', 'last_seen_at', 'timestamptz not null default now()'),
            ('ops.schema_drift', 'settled_at', 'timestamptz')
        ) as wanted (table_name, column_name, definition)
        where not exists (
            select from pg_attribute
            where attrelid = wanted.table_name::regclass and attname = wanted.column_name
        )
    loop
        execute format(
            'alter table %s add column %s %s',
            missing.table_name, missing.column_name, missing.definition
        );
    end loop;

    if exists (
        select from pg_attribute
        where attrelid = 'ops.source_watermarks'::regclass and attname = 'max_received_at' and attnotnull
    ) then
        alter table ops.source_watermarks alter column max_received_at drop not null;
    end if;

    -- holds of an earlier version knew no event facts
    if not exists (
        select from pg_constraint
        where conrelid = 'ops.legal_holds'::regclass and contype = 'c'
            and pg_get_constraintdef(oid) like '%event_facts%'
    ) then
        alter table ops.legal_holds drop constraint if exists legal_holds_dataset_check;
        alter table ops.legal_holds add constraint legal_holds_dataset_check
            check (dataset in ('*', 'raw_events', 'event_facts', 'job_runs'));
    end if;

    -- key tables said in which part of its load a key was written, which nobody asked
    for key_table in
        select attrelid from pg_attribute
        where attname = 'chunk' and attrelid in (
            'raw_events.event_keys'::regclass, 'raw_stripe.event_keys'::regclass,
            'raw_revenuecat.event_keys'::regclass, 'raw_cdc.change_keys'::regclass
        )
    loop
        execute format('alter table %s drop column chunk', key_table);
    end loop;
end $$;
