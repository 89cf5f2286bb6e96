{#- What any role of the matrix, or member of one, can read although nothing limits it to what it may see: role,
    relation, reason. Reads the catalogue of Postgres, so a relation is found however it came about. What a mart
    replaced stands beside it for a moment, with its policies and grants, and is judged as the mart. -#}
{% macro readable_around_policy() -%}
with readers as (

    select roles.oid, roles.rolname as role_name, roles.rolsuper or roles.rolbypassrls as is_exempt
    from pg_roles as roles
    where
        not roles.rolsuper
        and exists (
            select 1
            from governance.role_grants as grants
            where pg_has_role(roles.oid, grants.role_name, 'member')
        )

),

named as (

    select
        oid,
        regexp_replace(relname, '__dbt_backup$', '') as mart_name
    from pg_class

),

relations as (

    select
        c.oid,
        named.mart_name,
        n.nspname as schema_name,
        c.relname as relation_name,
        c.relkind as kind,
        c.relispartition as is_partition,
        c.relrowsecurity and c.relforcerowsecurity as is_forced,
        coalesce('security_invoker=true' = any (c.reloptions), false) as is_invoker,
        exists (
            select 1 from pg_attribute as a
            where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        ) as has_tenant,
        exists (
            select 1 from governance.secured_relations as s
            where s.schema_name = n.nspname and s.relation_name = named.mart_name
        ) as is_secured
    from pg_class as c
    inner join named on c.oid = named.oid
    inner join pg_namespace as n on c.relnamespace = n.oid
    where
        c.relkind in ('r', 'p', 'v', 'm', 'f')
        and n.nspname <> 'information_schema'
        and n.nspname !~ '^pg_'

),

readable as (

    select
        readers.role_name,
        readers.is_exempt,
        relations.*,
        exists (
            select 1 from governance.role_grants as grants
            where
                pg_has_role(readers.oid, grants.role_name, 'member')
                and grants.schema_name = relations.schema_name
                and grants.relation_name in ('*', relations.mart_name)
                and (
                    relations.has_tenant
                    or grants.row_scope = 'all_tenants'
                    or grants.relation_name = relations.mart_name
                )
        ) as is_in_matrix
    from readers
    cross join relations
    where
        has_schema_privilege(readers.oid, relations.schema_name, 'usage')
        and (
            has_table_privilege(readers.oid, relations.oid, 'select')
            or has_any_column_privilege(readers.oid, relations.oid, 'select')
        )

),

reasons as (

    select
        role_name,
        schema_name,
        relation_name,
        case
            when is_exempt then 'the role bypasses row security'
            when is_partition then 'a partition is read past the policy of its parent'
            when kind = 'm' then 'a materialized view has no row security'
            when kind = 'f' then 'a foreign table has no row security'
            when kind = 'v' and not is_invoker then 'the view reads with the rights of its owner'
            when not is_secured then 'it is not a mart'
            when not is_in_matrix then 'the role matrix does not grant it'
            when kind <> 'v' and has_tenant and not is_forced then 'row security is not forced'
        end as reason
    from readable

)

select * from reasons
where reason is not null
{%- endmacro %}
