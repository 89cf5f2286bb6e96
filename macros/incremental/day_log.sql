{#- The log of replaced days: for a model whose rows may change on other days than those that a load touched. A model with
    `affected: logged: [tenant column, date column]` notes in `ops.replaced_days` the days of the rows it deletes and
    inserts; the models after it read them with logged_days(). Each run also notes itself (without a day), so that a
    break in the chain of runs is seen. -#}

{#- Pre-hook: what is built anew as a whole has no log. -#}
{% macro forget_logged_days() -%}
    {%- if execute and target.type == 'postgres' and not is_incremental() -%}
        delete from ops.replaced_days where model_name = '{{ model_key() }}'
    {%- endif -%}
{%- endmacro %}

{#- Part of the incremental strategy, before the old rows go. -#}
{% macro log_replaced_days(condition, arg_dict) -%}
    {%- set logged = _affected().get('logged') -%}
    {%- if logged and (condition != 'false' or load_bound() > load_watermark()) -%}
        delete from ops.replaced_days
        where model_name = '{{ model_key() }}' and load_id <= (select min(last_load_id) from ops.model_watermarks);
        insert into ops.replaced_days (model_name, after_load_id, load_id, tenant_id, date_key)
        select '{{ model_key() }}', {{ load_watermark() }}, {{ load_bound() }}, days.tenant_id, days.date_key
        from (
            select cast(null as {{ type_uuid() }}) as tenant_id, cast(null as date) as date_key
            union
            select {{ logged | join(', ') }} from {{ arg_dict['target_relation'] }} where {{ condition }}
            union
            select {{ logged | join(', ') }} from {{ arg_dict['temp_relation'] }}
        ) as days;
    {%- endif -%}
{%- endmacro %}

{#- The pairs (tenant, day) that the upstream model replaced since this model's watermark; none when its log does not
    reach back to there. -#}
{% macro logged_days(model_name) -%}
    {%- set key = _ancestor_relation(model_name) -%}
    {%- set seen = load_watermark() -%}
    {%- set runs = run_query(
        "select distinct after_load_id, load_id from ops.replaced_days where model_name = '" ~ key ~ "' and load_id > " ~ seen
        ~ " order by load_id"
    ).rows -%}
    {%- set reached = namespace(load_id=seen, is_whole=true) -%}
    {%- for after_load_id, load_id in runs -%}
        {%- set reached.is_whole = reached.is_whole and after_load_id <= reached.load_id -%}
        {%- set reached.load_id = load_id -%}
    {%- endfor -%}
    {%- if not reached.is_whole or reached.load_id < load_bound() -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(_query_pairs(
        "select tenant_id, date_key as event_date from ops.replaced_days where tenant_id is not null and model_name = '" ~ key
        ~ "' and load_id > " ~ seen
    )) }}
{%- endmacro %}
