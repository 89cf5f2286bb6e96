{#- Incremental models by affected keys. A model says in its config which keys a load affects:

        {{ config(
            materialized='incremental',
            meta={'affected': {'by': 'affected_tenant_days', 'columns': ['tenant_id', 'event_date']}},
        ) }}
        select … from {{ ref('fact_events') }} as events
        where {{ is_affected('events.tenant_id', 'events.event_date') }}

    `by` names a macro of this folder, or one of your own. Given a list of column expressions it returns a condition on
    them: true for the keys whose rows may differ since this model's watermark, the word `false` when there are none.
    The same condition selects the rows to compute and deletes the old ones, so that rows which should vanish do vanish.
    It must depend only on loads up to load_bound(), on the watermark, on upstream tables, and on this model's old rows.
    Everything a key's rows depend on must be covered by the key: a value that needs other days needs a wider key.

    A full refresh happens by itself when there is no watermark, or when the SQL or seeds of the model or of an ancestor
    changed, or a var listed under `affected: vars`. -#}

{#- The condition for the model's query; `true` while the whole table is built. -#}
{% macro is_affected() -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {{ context[_affected()['by']](varargs) }}
    {%- endif -%}
{%- endmacro %}

{#- The incremental strategy: within the transaction of the build, delete the affected keys and insert them anew. -#}
{% macro get_incremental_affected_keys_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set condition = context[_affected()['by']](_affected()['columns']) | trim -%}
    {{ log_replaced_days(condition, arg_dict) }}
    {%- if condition == 'false' -%}
        select 1
    {%- else -%}
        delete from {{ arg_dict['target_relation'] }} where {{ condition }};
        insert into {{ arg_dict['target_relation'] }} ({{ columns }})
        select {{ columns }} from {{ arg_dict['temp_relation'] }}
    {%- endif -%}
{%- endmacro %}

{#- Conditions joined by or, without those that are false. -#}
{% macro any_of(conditions) -%}
    {%- set possible = conditions | map('trim') | reject('equalto', 'false') | list -%}
    {%- if 'true' in possible -%}
        true
    {%- elif possible -%}
        ({{ possible | join(' or ') }})
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{% macro _affected() -%}
    {{ return(model.config.get('meta', {}).get('affected', {})) }}
{%- endmacro %}
