-- Who sees which rows. Applied on every preparation; every statement is idempotent.
-- Three tables say it: role_grants (from seeds/governance/role_matrix.csv), tenant_logins (bind_login) and
-- reader_logins (bind_reader, for readers of a marketplace and contributors of a studio).
-- secure_relation turns it into grants and policies; dbt calls it in the transaction that swaps a mart in.

create schema if not exists governance;

create table if not exists governance.role_grants (
    role_name name not null,
    schema_name name not null,
    relation_name name not null, -- '*': every mart of the schema
    row_scope text not null,
    primary key (role_name, schema_name, relation_name)
);

-- scopes were fewer once; a table whose check knows them all is not altered
do $$
begin
    if not exists (
        select from pg_constraint
        where conrelid = 'governance.role_grants'::regclass and conname = 'role_grants_row_scope_check'
            and pg_get_constraintdef(oid) like '%own_contributor%'
    ) then
        alter table governance.role_grants drop constraint if exists role_grants_row_scope_check;
        alter table governance.role_grants add constraint role_grants_row_scope_check
            check (row_scope in ('own_tenants', 'all_tenants', 'own_reader', 'own_contributor', 'nothing'));
    end if;
end
$$;

create table if not exists governance.tenant_logins (
    login_name name not null,
    tenant_id uuid not null,
    bound_at timestamptz not null default now(),
    primary key (login_name, tenant_id)
);

-- One person's login: a reader's sees that reader's own rows of the last 30 days; a contributor's that contributor's own
-- rows, and those of the projects it works on. `reader_id` is whichever of the two the login's role reads as.
create table if not exists governance.reader_logins (
    login_name name not null,
    tenant_id uuid not null,
    reader_id uuid not null,
    login_oid oid,
    bound_at timestamptz not null default now(),
    primary key (login_name, tenant_id, reader_id)
);

-- A binding is to a role, not to a name: the same name made again after `drop role` is another role, and sees only
-- what it is given anew. A role that is renamed keeps its bindings. What is there is not altered again, which would wait
-- for everybody who reads it.
do $$
begin
    if not exists (
        select from pg_attribute
        where attrelid = 'governance.tenant_logins'::regclass and attname = 'login_oid'
    ) then
        alter table governance.tenant_logins add column login_oid oid;
    end if;
end
$$;

create or replace function governance.bind_to_role()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.login_oid := (select r.oid from pg_roles as r where r.rolname = new.login_name);
    if new.login_oid is null then
        raise exception 'The login % does not exist, so it cannot be bound to a tenant. Create it first.', new.login_name;
    end if;
    execute format(
        'delete from %I.%I as stale where stale.login_name = $1 and stale.login_oid is distinct from $2',
        tg_table_schema, tg_table_name
    ) using new.login_name, new.login_oid;
    return new;
end
$$;

do $$
begin
    if not exists (
        select from pg_trigger
        where tgrelid = 'governance.tenant_logins'::regclass and tgname = 'bind_to_role'
    ) then
        create trigger bind_to_role before insert on governance.tenant_logins
        for each row execute function governance.bind_to_role();
    end if;
    if not exists (
        select from pg_trigger
        where tgrelid = 'governance.reader_logins'::regclass and tgname = 'bind_to_role'
    ) then
        create trigger bind_to_role before insert on governance.reader_logins
        for each row execute function governance.bind_to_role();
    end if;
end
$$;

-- bindings from before roles were noted belong to the role that has their name now, and to nobody where none has
update governance.tenant_logins as old
set login_oid = r.oid
from pg_roles as r
where old.login_oid is null and r.rolname = old.login_name;

delete from governance.tenant_logins as stale
where not exists (select from pg_roles as r where r.oid = stale.login_oid);

delete from governance.reader_logins as stale
where not exists (select from pg_roles as r where r.oid = stale.login_oid);

create table if not exists governance.secured_relations (
    schema_name name not null,
    relation_name name not null,
    primary key (schema_name, relation_name)
);

-- The tenants of whoever logged in. session_user cannot be changed by SET ROLE; the setting counts for
-- the broker alone, which is trusted to set it. Empty, null, unset or no UUID: no tenants.
create or replace function governance.visible_tenants()
returns uuid[]
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp
return (
    select coalesce(array_agg(visible.tenant_id), '{}')
    from (
        select logins.tenant_id
        from governance.tenant_logins as logins
        where logins.login_oid = to_regrole(quote_ident(session_user))::oid
        union all
        select cast(setting.tenant_id as uuid)
        from (select lower(trim(current_setting('tallyhouse.tenant_id', true))) as tenant_id) as setting
        where
            setting.tenant_id ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
            and pg_has_role(session_user, 'tallyhouse_bi_broker', 'member')
    ) as visible
);

-- The readers that whoever logged in stands for, each with the first day it sees: 30 days back from the tenant's running
-- day at as_of, which the marts speak up to. Not the clock's: a warehouse that stands still keeps what its readers see.
create or replace function governance.visible_readers()
returns table (tenant_id uuid, reader_id uuid, first_date date)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if to_regclass('intermediate.int_fulfilment__tenant_horizons') is null then
        return;
    end if;
    return query
    select logins.tenant_id, logins.reader_id, horizons.running_date - 30
    from governance.reader_logins as logins
    inner join intermediate.int_fulfilment__tenant_horizons as horizons on logins.tenant_id = horizons.tenant_id
    where logins.login_oid = to_regrole(quote_ident(session_user))::oid;
end
$$;

-- The contributors that whoever logged in stands for (project_id null), and the projects they have a task or hours in
-- (contributor_id null).
create or replace function governance.visible_contributions()
returns table (tenant_id uuid, contributor_id uuid, project_id uuid)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select logins.tenant_id, logins.reader_id, cast(null as uuid)
    from governance.reader_logins as logins
    where logins.login_oid = to_regrole(quote_ident(session_user))::oid;
    if to_regclass('staging.stg_projectflo__tasks') is null
        or to_regclass('staging.stg_projectflo__time_entries') is null
    then
        return;
    end if;
    return query
    select logins.tenant_id, cast(null as uuid), worked.project_id
    from governance.reader_logins as logins
    inner join (
        select tasks.tenant_id, tasks.contributor_id, tasks.project_id from staging.stg_projectflo__tasks as tasks
        union
        select entries.tenant_id, entries.contributor_id, entries.project_id
        from staging.stg_projectflo__time_entries as entries
    ) as worked
        on logins.tenant_id = worked.tenant_id and logins.reader_id = worked.contributor_id
    where logins.login_oid = to_regrole(quote_ident(session_user))::oid and worked.project_id is not null;
end
$$;

-- Brings grants and policies of one mart to what the matrix says; touches nothing that is right already, so that an
-- incremental build takes no lock that readers would notice.
create or replace function governance.secure_relation(in_schema text, in_relation text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation regclass := format('%I.%I', in_schema, in_relation)::regclass;
    kind "char";
    is_secured boolean;
    has_tenant boolean;
    has_reader boolean;
    has_contributor boolean;
    scope text;
    wanted name[];
    present name[];
    reader name;
begin
    select c.relkind, c.relrowsecurity and c.relforcerowsecurity,
        exists (
            select from pg_attribute as a
            where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        ),
        3 = (
            select count(*) from pg_attribute as a
            where a.attrelid = c.oid and a.attname in ('tenant_id', 'reader_id', 'metric_date') and not a.attisdropped
        ),
        3 = (
            select count(*) from pg_attribute as a
            where a.attrelid = c.oid and a.attname in ('tenant_id', 'contributor_id', 'project_id')
                and not a.attisdropped
        )
    into kind, is_secured, has_tenant, has_reader, has_contributor
    from pg_class as c where c.oid = relation;

    if kind not in ('r', 'p', 'v') then
        raise exception 'Mart % is neither a table nor a view, so row security cannot guard it. Materialise it as a table.', relation;
    end if;
    if kind = 'v' and not coalesce(
        (select 'security_invoker=true' = any (c.reloptions) from pg_class as c where c.oid = relation), false
    ) then
        execute format('alter view %s set (security_invoker = true)', relation);
    end if;

    if kind <> 'v' and has_tenant then
        if not is_secured then
            execute format('alter table %s enable row level security', relation);
            execute format('alter table %s force row level security', relation);
        end if;
        foreach scope in array array['own_tenants', 'all_tenants', 'own_reader', 'own_contributor'] loop
            wanted := array(
                select distinct g.role_name from governance.role_grants as g
                where g.schema_name = in_schema and g.relation_name in ('*', in_relation) and g.row_scope = scope
                order by 1
            );
            present := (
                select array(select r.rolname from pg_roles as r where r.oid = any (p.polroles) order by 1)
                from pg_policy as p where p.polrelid = relation and p.polname = scope
            );
            if scope = 'own_reader' and wanted <> '{}' and not has_reader then
                raise exception 'The role matrix lets readers see their own rows of %, which lacks tenant_id, reader_id or metric_date.', relation;
            end if;
            if scope = 'own_contributor' and wanted <> '{}' and not has_contributor then
                raise exception 'The role matrix lets contributors see their own rows of %, which lacks tenant_id, contributor_id or project_id.', relation;
            end if;
            if present is distinct from nullif(wanted, '{}') then
                execute format('drop policy if exists %I on %s', scope, relation);
                if wanted <> '{}' then
                    execute format(
                        'create policy %I on %s for select to %s using (%s)',
                        scope, relation, (select string_agg(quote_ident(w), ', ') from unnest(wanted) as w),
                        case scope
                            when 'all_tenants' then 'true'
                            when 'own_reader' then format(
                                'exists (select from governance.visible_readers() as own '
                                'where own.tenant_id = %1$s.tenant_id and own.reader_id = %1$s.reader_id '
                                'and %1$s.metric_date >= own.first_date)',
                                quote_ident(in_relation)
                            )
                            -- asked once for a query and hashed, however many rows there are
                            when 'own_contributor' then
                                '(tenant_id, contributor_id) in '
                                '(select own.tenant_id, own.contributor_id from governance.visible_contributions() as own) '
                                'or contributor_id is null and (tenant_id, project_id) in '
                                '(select own.tenant_id, own.project_id from governance.visible_contributions() as own)'
                            else 'tenant_id = any ((select governance.visible_tenants())::uuid[])'
                        end
                    );
                end if;
            end if;
        end loop;
    end if;

    -- a relation without a tenant is for those who see all, or for those whom the matrix names it to
    wanted := array(
        select distinct g.role_name from governance.role_grants as g
        where
            g.schema_name = in_schema
            and g.relation_name in ('*', in_relation)
            and g.row_scope <> 'nothing'
            and (has_tenant or g.row_scope = 'all_tenants' or g.relation_name = in_relation)
        order by 1
    );
    present := array(
        select distinct r.rolname
        from pg_class as c cross join lateral aclexplode(c.relacl) as a inner join pg_roles as r on a.grantee = r.oid
        where c.oid = relation and a.grantee <> c.relowner and a.privilege_type = 'SELECT'
        order by 1
    );
    foreach reader in array present loop
        if not reader = any (wanted) then
            execute format('revoke all on %s from %I', relation, reader);
        end if;
    end loop;
    foreach reader in array wanted loop
        if not reader = any (present) then
            execute format('grant select on %s to %I', relation, reader);
        end if;
    end loop;

    insert into governance.secured_relations (schema_name, relation_name)
    values (in_schema, in_relation)
    on conflict do nothing;
end
$$;

-- A mart as a chart wants it: the rows in which some columns have one value (policy `standard`, days that are over),
-- without these columns, so that a plain sum is right. Made anew in the transaction that swaps its mart in, so that no
-- reader misses it; it reads with its reader's rights. What is right already is not touched, which would lock it.
create or replace function governance.publish_view(
    in_schema text, in_relation text, in_view text, in_fixed jsonb, in_description text, in_columns jsonb
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    mart regclass := format('%I.%I', in_schema, in_relation)::regclass;
    present regclass := to_regclass(format('%I.%I', in_schema, in_view));
    condition text := (
        select string_agg(format('mart.%I = %L', key, value), ' and ' order by key) from jsonb_each_text(in_fixed)
    );
    said text := replace(condition, 'mart.', '');
    period name := (
        select a.attname from pg_attribute as a
        where
            a.attrelid = mart and a.attnum > 0 and not a.attisdropped and a.atttypid = 'date'::regtype
            and in_fixed ->> 'is_complete' = 'true'
        order by a.attnum desc limit 1 -- a cohort's own date stands before the period that is looked at
    );
    description text;
    columns name[] := array(
        select a.attname from pg_attribute as a
        where a.attrelid = mart and a.attnum > 0 and not a.attisdropped and not in_fixed ? a.attname::text
        order by a.attnum
    );
    described record;
begin
    -- A period is over at another time in each time zone: a sum over tenants has it when it is over for all that it reads.
    if period is not null then
        condition := condition || format(
            ' and mart.%1$I < (select coalesce(min(running.%1$I), ''infinity'') from %2$I.%3$I as running'
            ' where not running.is_complete)',
            period, in_schema, in_relation
        );
        said := said || ', and the period is over for every tenant that the reader sees';
    end if;
    description := format('%s.%s where %s. %s', in_schema, in_relation, said, in_description);
    if present is null
        or obj_description(present, 'pg_class') is distinct from description
        or columns <> array(
            select a.attname from pg_attribute as a where a.attrelid = present and a.attnum > 0 order by a.attnum
        )
        or not exists ( -- it reads the table that this one replaced
            select from pg_depend as d inner join pg_rewrite as r on d.objid = r.oid
            where d.classid = 'pg_rewrite'::regclass and r.ev_class = present and d.refobjid = mart
        )
    then
        execute format('drop view if exists %I.%I', in_schema, in_view);
        execute format(
            'create view %I.%I with (security_invoker = true) as select %s from %I.%I as mart where %s',
            in_schema, in_view, (select string_agg(format('mart.%I', c), ', ') from unnest(columns) as c),
            in_schema, in_relation, condition
        );
        execute format('comment on view %I.%I is %L', in_schema, in_view, description);
        present := format('%I.%I', in_schema, in_view)::regclass;
    end if;
    for described in
        select a.attname, in_columns ->> a.attname::text as said
        from pg_attribute as a
        where
            a.attrelid = present and a.attnum > 0
            and in_columns ->> a.attname::text is distinct from col_description(present, a.attnum)
    loop
        execute format('comment on column %I.%I.%I is %L', in_schema, in_view, described.attname, described.said);
    end loop;
    perform governance.secure_relation(in_schema, in_view);
end
$$;

-- After the matrix changed: every mart that stands is brought in line at once.
create or replace function governance.secure_all_relations()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    mart record;
begin
    delete from governance.secured_relations as s
    where to_regclass(format('%I.%I', s.schema_name, s.relation_name)) is null;
    for mart in select s.schema_name, s.relation_name from governance.secured_relations as s order by 1, 2 loop
        perform governance.secure_relation(mart.schema_name, mart.relation_name);
    end loop;
end
$$;

revoke all on all tables in schema governance from public;
revoke all on function governance.secure_relation(text, text) from public;
revoke all on function governance.secure_all_relations() from public;
revoke all on function governance.publish_view(text, text, text, jsonb, text, jsonb) from public;
