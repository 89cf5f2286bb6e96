{#- Expressions and aggregates whose spelling differs between engines, or that models want to say in one word. -#}

{#- True where the text matches the regular expression (POSIX classes, no back-references). -#}
{% macro matches(expression, pattern) -%}
    {{ adapter.dispatch('matches', 'tallyhouse')(expression, pattern) }}
{%- endmacro %}
{% macro default__matches(expression, pattern) -%}{{ expression }} ~ '{{ pattern }}'{%- endmacro %}
{% macro duckdb__matches(expression, pattern) -%}regexp_matches({{ expression }}, '{{ pattern }}'){%- endmacro %}
{% macro spark__matches(expression, pattern) -%}{{ expression }} rlike '{{ pattern }}'{%- endmacro %}

{#- Aggregate: how many rows meet the condition (0 when none does). -#}
{% macro count_if(condition) -%}
    count(case when {{ condition }} then 1 end)
{%- endmacro %}

{#- Aggregate: distinct values among the rows that meet the condition. -#}
{% macro count_distinct_if(condition, expression) -%}
    count(distinct case when {{ condition }} then {{ expression }} end)
{%- endmacro %}

{#- Aggregate: sum over the rows that meet the condition (null when none does). -#}
{% macro sum_if(condition, expression) -%}
    sum(case when {{ condition }} then {{ expression }} end)
{%- endmacro %}

{#- A rate: numerator over denominator as an exact number, null when the denominator is 0 or unknown. -#}
{% macro rate(numerator, denominator) -%}
    (cast({{ numerator }} as {{ type_numeric() }}) / nullif({{ denominator }}, 0))
{%- endmacro %}

{#- Aggregate: the continuous percentile p (0 to 1) of the expression, nulls left out. -#}
{% macro percentile(expression, p) -%}
    {{ adapter.dispatch('percentile', 'tallyhouse')(expression, p) }}
{%- endmacro %}
{% macro default__percentile(expression, p) -%}
    percentile_cont({{ p }}) within group (order by {{ expression }})
{%- endmacro %}
{% macro duckdb__percentile(expression, p) -%}quantile_cont({{ expression }}, {{ p }}){%- endmacro %}
{% macro spark__percentile(expression, p) -%}percentile({{ expression }}, {{ p }}){%- endmacro %}

{% macro median(expression) -%}{{ percentile(expression, 0.5) }}{%- endmacro %}

{#- Aggregate: the expression in the row whose order key is smallest / greatest. -#}
{% macro earliest_by(expression, order_key) -%}
    {{ adapter.dispatch('earliest_by', 'tallyhouse')(expression, order_key) }}
{%- endmacro %}
{% macro default__earliest_by(expression, order_key) -%}
    (array_agg({{ expression }} order by {{ order_key }} asc))[1]
{%- endmacro %}
{% macro duckdb__earliest_by(expression, order_key) -%}
    first({{ expression }} order by {{ order_key }} asc)
{%- endmacro %}
{% macro spark__earliest_by(expression, order_key) -%}min_by({{ expression }}, {{ order_key }}){%- endmacro %}

{% macro latest_by(expression, order_key) -%}
    {{ adapter.dispatch('latest_by', 'tallyhouse')(expression, order_key) }}
{%- endmacro %}
{% macro default__latest_by(expression, order_key) -%}
    (array_agg({{ expression }} order by {{ order_key }} desc))[1]
{%- endmacro %}
{% macro duckdb__latest_by(expression, order_key) -%}
    first({{ expression }} order by {{ order_key }} desc)
{%- endmacro %}
{% macro spark__latest_by(expression, order_key) -%}max_by({{ expression }}, {{ order_key }}){%- endmacro %}

{#- A deterministic UUID from SQL text expressions joined by |. -#}
{% macro hash_uuid(expressions) -%}
    {{ adapter.dispatch('hash_uuid', 'tallyhouse')(expressions) }}
{%- endmacro %}
{% macro default__hash_uuid(expressions) -%}
    cast(md5(
        {%- for expression in expressions -%}
            coalesce(cast({{ expression }} as {{ type_string() }}), ''){{ " || '|' || " if not loop.last }}
        {%- endfor -%}
    ) as {{ type_uuid() }})
{%- endmacro %}
{% macro spark__hash_uuid(expressions) -%}
    regexp_replace(
        md5(concat_ws('|',
            {%- for expression in expressions %}
            coalesce(cast({{ expression }} as string), ''){{ ',' if not loop.last }}
            {%- endfor %})),
        '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '$1-$2-$3-$4-$5'
    )
{%- endmacro %}

{#- Whether a value is one of the few that a query gives. As an array they reach the index of an expression, and that of
    each partition, which a join of a query does not. -#}
{% macro is_one_of_few(value, query) -%}
    {{ adapter.dispatch('is_one_of_few', 'tallyhouse')(value, query) }}
{%- endmacro %}
{% macro default__is_one_of_few(value, query) -%}{{ value }} = any(array({{ query }})){%- endmacro %}
{% macro duckdb__is_one_of_few(value, query) -%}{{ value }} in ({{ query }}){%- endmacro %}
{% macro spark__is_one_of_few(value, query) -%}{{ value }} in ({{ query }}){%- endmacro %}
