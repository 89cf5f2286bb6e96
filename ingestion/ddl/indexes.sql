-- Indexes beside the tables' own keys. `create index if not exists` waits for everybody who writes, a
-- load of hours among them, before it looks whether there is anything to do; so each is looked for
-- first.

do $$
declare
    missing record;
begin
    for missing in
        select wanted.* from (
            values
            -- a content is loaded once, unless a later load took its place
            ('unique', 'ops', 'load_manifest', 'load_manifest_content',
                '(source_kind, source_name, content_hash) where superseded_by is null'),
            ('', 'ops', 'load_touched', 'load_touched_load', '(load_id)'),
            ('', 'raw_cdc', 'changes', 'changes_key', '(key_hash)'),
            -- a load reads back what it brought, however much its days hold already
            ('', 'raw_cdc', 'changes', 'changes_load', '(load_id)'),
            -- models read a customer's events, and all of what is nobody's
            ('', 'raw_stripe', 'events', 'events_entity',
                '((''stripe:'' || account || '':'' || coalesce(customer_id, '''')))'),
            ('', 'raw_stripe', 'events', 'events_of_nobody',
                '(object_type) where object_type in (''coupon'', ''plan'', ''price'', ''refund'')')
        ) as wanted (kind, schema_name, table_name, index_name, definition)
        where to_regclass(format('%I.%I', wanted.schema_name, wanted.index_name)) is null
    loop
        execute format(
            'create %s index %I on %I.%I %s',
            missing.kind, missing.index_name, missing.schema_name, missing.table_name,
            missing.definition
        );
    end loop;
end $$;
