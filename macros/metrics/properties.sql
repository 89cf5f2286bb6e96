{#- Properties of users, by which retention() and funnel() tell groups apart. A property is named by its home:

        user.<column>    a column of dim_user (plan, role, country_code, …)
        tenant.<column>  a column of dim_tenant (plan, size_band, industry, …)
        first.<name>     the first value that the user's events have, of a column of fact_events (country_code,
        last.<name>      device_type, browser) or of any contracted property; and the newest one

    `by` is such a name, a list of them, or a dictionary of the columns' names and them. -#}

{#- The properties asked for: column → its home and name. -#}
{% macro asked_properties(by) -%}
    {%- set asked = {} -%}
    {%- if by is mapping -%}
        {%- do asked.update(by) -%}
    {%- else -%}
        {%- for property in ([by] if by is string else by or []) -%}
            {%- do asked.update({property.split('.')[-1]: property}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set known = {} -%}
    {%- for column, property in asked.items() -%}
        {%- set home, name = property.split('.')[0], property.split('.')[1:] | join('.') -%}
        {%- if home not in ('user', 'tenant', 'first', 'last') or not modules.re.fullmatch('\\w+', name) -%}
            {{ refuse_call("by", "does not know the property '" ~ property
                ~ "'. Say whose it is: user.plan, tenant.size_band, first.device_type or last.platform.") }}
        {%- endif -%}
        {%- if column in ('product', 'tenant_id', 'cohort_start', 'cohort_size', 'step_number', 'step_name') -%}
            {{ refuse_call("by", "makes a column " ~ column ~ ", which is there already. Give it another: {'my_"
                ~ column ~ "': '" ~ property ~ "'}.") }}
        {%- endif -%}
        {%- do known.update({column: {'home': home, 'name': name}}) -%}
    {%- endfor -%}
    {%- if by is not string and by is not mapping and known | length < (by or []) | length -%}
        {{ refuse_call("by", "names two properties alike. Give each a column: {'user_plan': 'user.plan', …}.") }}
    {%- endif -%}
    {{ return(known) }}
{%- endmacro %}

{#- The CTEs <column>_of_users: product, tenant_id, user_id (none for a tenant's property) and the column. -#}
{% macro property_ctes(properties) -%}
    {%- for column, property in properties.items() %}
    {%- if property.home == 'user' %}
    {{ column }}_of_users as (

        select
            product,
            tenant_id,
            user_id,
            {{ property.name }} as {{ column }}
        from {{ ref('dim_user') }}

    ),
    {%- elif property.home == 'tenant' %}
    {{ column }}_of_users as (

        select
            product,
            tenant_id,
            {{ property.name }} as {{ column }}
        from {{ ref('dim_tenant') }}

    ),
    {%- else %}
    {%- set is_column = property.name in ('country_code', 'device_type', 'browser', 'event_name', 'event_domain') %}
    {%- set value = property.name if is_column else json_text('properties', property.name) %}
    {{ column }}_told as (

        select
            product,
            tenant_id,
            user_id,
            {{ value }} as {{ column }},
            row_number() over (
                partition by product, tenant_id, user_id
                order by
                    occurred_at {{ 'asc' if property.home == 'first' else 'desc' }},
                    event_id {{ 'asc' if property.home == 'first' else 'desc' }}
            ) as place
        from {{ ref('fact_events') }}
        where user_id is not null and {{ value }} is not null

    ),

    {{ column }}_of_users as (

        select
            product,
            tenant_id,
            user_id,
            {{ column }}
        from {{ column }}_told
        where place = 1

    ),
    {%- endif %}
    {% endfor %}
{%- endmacro %}

{#- The joins of these CTEs to a relation of users. Who has no value has null. -#}
{% macro property_joins(properties, users) -%}
    {%- for column, property in properties.items() %}
        left join {{ column }}_of_users
            on
                {{ users }}.product = {{ column }}_of_users.product
                and {{ users }}.tenant_id = {{ column }}_of_users.tenant_id
                {%- if property.home != 'tenant' %}
                and {{ users }}.user_id = {{ column }}_of_users.user_id
                {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- Stops a model whose call cannot be answered, with a sentence. -#}
{% macro refuse_call(macro_name, sentence) -%}
    {{ exceptions.raise_compiler_error(
        macro_name ~ " in " ~ model.name ~ " " ~ sentence ~ " See docs/engagement.md."
    ) }}
{%- endmacro %}
