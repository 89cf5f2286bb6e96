{#- The kinds of affected keys. Each macro takes a list of column expressions and returns a condition on them. What a run
    affects becomes literals here: the planner then reads only the partitions and index ranges that matter. -#}

{#- columns: tenant, UTC date of the event, and optionally the local date beside it (for its index). Days on which a load
    touched an event; all days of a tenant whose time zone changed; all days of an anonymous id that was given another user
    since. -#}
{% macro affected_tenant_days(columns) -%}
    {{ pairs_condition(columns, affected_tenant_day_pairs()) }}
{%- endmacro %}

{#- columns: tenant, calendar date in the tenant's time zone. A UTC day lies in up to three local days. -#}
{% macro affected_local_days(columns) -%}
    {{ pairs_condition(columns, affected_tenant_day_pairs(), widen=1) }}
{%- endmacro %}

{#- columns: tenant, UTC date. Only what loads touched, without time zones and identities: for what comes before them. -#}
{% macro affected_loaded_days(columns) -%}
    {{ pairs_condition(columns, _query_pairs(_touched_days_query())) }}
{%- endmacro %}

{#- columns: product, tenant, anonymous id. Anonymous ids that loads identified, and those whose identification lay on a
    day that loads touched (a correction may have taken it back). For int_core__user_aliases alone. -#}
{% macro affected_anonymous_ids(columns) -%}
    {%- set pairs = _query_pairs(_touched_days_query()) -%}
    {%- if not pairs -%}
        false
    {%- else -%}
        ({{ columns | join(', ') }}) in (
            select daily.product, daily.tenant_id, daily.anonymous_id
            from {{ _ancestor_relation('int_core__identifications_daily') }} as daily
            where {{ pairs_condition(['daily.tenant_id', 'daily.event_date'], pairs) }}
            union
            select aliases.product, aliases.tenant_id, aliases.anonymous_id
            from {{ this }} as aliases
            where {{ pairs_condition(['aliases.tenant_id', 'aliases.identified_date'], pairs) }}
        )
    {%- endif -%}
{%- endmacro %}

{#- columns: tenant, user. Users with events on affected days, and those whose first or last day was one of them (its
    events may have gone). For int_core__event_users alone. -#}
{% macro affected_event_users(columns) -%}
    {%- set pairs = affected_tenant_day_pairs() -%}
    {%- if not pairs -%}
        false
    {%- else -%}
        ({{ columns | join(', ') }}) in (
            select days.tenant_id, days.user_id
            from {{ _ancestor_relation('int_core__user_days') }} as days
            where {{ pairs_condition(['days.tenant_id', 'days.event_date'], pairs) }}
            union
            select users.tenant_id, users.user_id
            from {{ this }} as users
            where
                {{ pairs_condition(['users.tenant_id', 'users.first_event_date'], pairs) }}
                or {{ pairs_condition(['users.tenant_id', 'users.last_event_date'], pairs) }}
        )
    {%- endif -%}
{%- endmacro %}

{#- columns: user. Users whose rows a change data capture load touched. -#}
{% macro affected_users(columns) -%}
    {{ _entity_condition(columns, 'user', type_uuid()) }}
{%- endmacro %}

{#- columns: customer as 'provider:account:customer'. Customers whose webhooks a load touched. -#}
{% macro affected_customers(columns) -%}
    {{ _entity_condition(columns, 'customer', type_string()) }}
{%- endmacro %}

{#- Whether a load touched this table of a source's database (`<product>__<table>`) since the watermark. -#}
{% macro is_table_touched(table_name) -%}
    {%- set found = run_query(
        "select count(*) from " ~ source('ops', 'load_touched') ~ " where entity_type = 'cdc_table' and entity_id = '"
        ~ table_name ~ "' and load_id > " ~ load_watermark() ~ " and load_id <= " ~ load_bound()
    ).columns[0].values()[0] -%}
    {{ return(found > 0) }}
{%- endmacro %}

{#- The pairs (tenant, UTC day) as a list of two texts. The model must have dim_tenant and the identities upstream. -#}
{% macro affected_tenant_day_pairs() -%}
    {%- set query -%}
        {{ _touched_days_query() }}
        union
        select days.tenant_id, days.event_date
        from {{ _ancestor_relation('int_core__tenant_days') }} as days
        inner join ops.model_timezones as zones on days.tenant_id = zones.tenant_id
        inner join {{ _ancestor_relation('dim_tenant') }} as tenants on zones.tenant_id = tenants.tenant_id
        where zones.model_name = '{{ model_key() }}' and zones.timezone <> tenants.timezone
        union
        select days.tenant_id, days.event_date
        from {{ _ancestor_relation('int_core__anonymous_days') }} as days
        inner join {{ _ancestor_relation('int_core__user_aliases') }} as aliases
            on
                days.tenant_id = aliases.tenant_id
                and days.product = aliases.product
                and days.anonymous_id = aliases.anonymous_id
        where aliases.changed_load_id > {{ load_watermark() }}
    {%- endset -%}
    {{ return(_query_pairs(query)) }}
{%- endmacro %}

{#- A condition on two columns from literal pairs: the list of days first (it prunes), then the exact pairs. Beyond a
    few thousand pairs whole days of all tenants are taken instead: more than needed, never less. -#}
{% macro pairs_condition(columns, pairs, widen=0) -%}
    {%- if not pairs -%}
        false
    {%- else -%}
        {%- set wide = [] -%}
        {%- for pair in pairs -%}
            {%- for shift in range(-widen, widen + 1) -%}
                {%- do wide.append((pair[0], _shifted(pair[1], shift))) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set wide = wide | unique | sort | list -%}
        {%- set days = wide | map(attribute=1) | unique | sort | list -%}
        ({{ columns[1] }} in ({% for day in days %}{{ date_literal(day) }}{{ ', ' if not loop.last }}{% endfor %})
        {%- if wide | length <= 5000 %} and ({{ columns[0] }}, {{ columns[1] }}) in (
            select cast(pairs.tenant_id as {{ type_uuid() }}), cast(pairs.day as date)
            from (values {% for pair in wide %}('{{ pair[0] }}', '{{ pair[1] }}'){{ ', ' if not loop.last }}{% endfor %}) as pairs (tenant_id, day)
        )
        {%- endif %}
        {%- if columns | length > 2 %} and {{ columns[2] }} in ({% for day in _with_neighbours(days) %}{{ date_literal(day) }}{{ ', ' if not loop.last }}{% endfor %}){% endif %})
    {%- endif -%}
{%- endmacro %}

{#- Days, each with the one before and the one after it. -#}
{% macro _with_neighbours(days) -%}
    {%- set found = {} -%}
    {%- for day in days -%}
        {%- for shift in [-1, 0, 1] -%}
            {%- do found.update({_shifted(day, shift): true}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found.keys() | sort | list) }}
{%- endmacro %}

{% macro _shifted(day, days) -%}
    {{ return((modules.datetime.date.fromisoformat(day) + modules.datetime.timedelta(days=days)).isoformat()) }}
{%- endmacro %}

{% macro _touched_days_query() -%}
    select touched.tenant_id, touched.touched_on as event_date
    from {{ source('ops', 'load_touched') }} as touched
    where
        touched.entity_type = 'tenant_day'
        and touched.load_id > {{ load_watermark() }}
        and touched.load_id <= {{ load_bound() }}
{%- endmacro %}

{% macro _query_pairs(query) -%}
    {%- set pairs = [] -%}
    {%- for row in run_query(
        "select distinct cast(tenant_id as " ~ type_string() ~ "), cast(event_date as " ~ type_string() ~ ") from (" ~ query ~ ") as days"
    ).rows -%}
        {%- do pairs.append((row[0] | string, row[1] | string)) -%}
    {%- endfor -%}
    {{ return(pairs) }}
{%- endmacro %}

{% macro _entity_condition(columns, entity_type, data_type) -%}
    {%- set ids = run_query(
        "select distinct entity_id from " ~ source('ops', 'load_touched') ~ " where entity_type = '" ~ entity_type
        ~ "' and entity_id is not null and load_id > " ~ load_watermark() ~ " and load_id <= " ~ load_bound()
    ).columns[0].values() -%}
    {%- if ids | length == 0 -%}
        false
    {%- else -%}
        {{ columns[0] }} in (
            select cast(ids.id as {{ data_type }})
            from (values {% for id in ids %}('{{ id | replace("'", "''") }}'){{ ', ' if not loop.last }}{% endfor %}) as ids (id)
        )
    {%- endif -%}
{%- endmacro %}
