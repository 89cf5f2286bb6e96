{#- Affected keys of fact_productivity.

    columns: tenant, user, local date. Days on which sessions were replaced or whose cash is not what a row says (as literal
    days, so that an index finds them); all days of users whose rows in the source's database a load touched, and of
    tenants whose time zone is not the one the rows were dated in. -#}
{% macro affected_productivity(columns) -%}
    {%- set replaced = logged_days('fact_sessions') -%}
    {{ any_of([
        'true' if replaced is none else pairs_condition([columns[0], columns[2]], replaced + _days_of_changed_cash()),
        affected_users([columns[1]]),
        affected_timezone_tenants([columns[0]]),
    ]) }}
{%- endmacro %}

{#- The pairs (tenant, day) on which a user's cash is not what this model holds. -#}
{% macro _days_of_changed_cash() -%}
    {%- set query -%}
        select
            coalesce(cash.tenant_id, held.tenant_id) as tenant_id,
            coalesce(cash.date_key, held.date_key) as event_date
        from (
            select * from {{ _ancestor_relation('int_revenue__user_cash_daily') }}
            where product = 'upcoach' and user_id is not null
        ) as cash
        full join (select * from {{ this }} where revenue_cents <> 0) as held
            on
                cash.tenant_id = held.tenant_id
                and cash.user_id = held.user_id
                and cash.date_key = held.date_key
        where coalesce(cash.revenue_cents, 0) <> coalesce(held.revenue_cents, 0)
    {%- endset -%}
    {{ return(_query_pairs(query)) }}
{%- endmacro %}

{#- columns: tenant. Tenants that this model has not dated yet, or dated in another time zone. -#}
{% macro affected_timezone_tenants(columns) -%}
    {%- set query -%}
        select cast(tenants.tenant_id as {{ type_string() }})
        from {{ _ancestor_relation('dim_tenant') }} as tenants
        left join ops.model_timezones as zones
            on tenants.tenant_id = zones.tenant_id and zones.model_name = '{{ model_key() }}'
        where zones.timezone is null or zones.timezone <> tenants.timezone
    {%- endset -%}
    {%- set tenants = run_query(query).columns[0].values() -%}
    {%- if tenants -%}
        {{ columns[0] }} in ('{{ tenants | join("', '") }}')
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}
