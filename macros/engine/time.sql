{#- Dates and instants. Instants carry their zone; a date is a calendar day in a zone that the caller names. -#}

{#- The calendar date of an instant in a time zone. -#}
{% macro local_date(instant, timezone) -%}
    {{ adapter.dispatch('local_date', 'tallyhouse')(instant, timezone) }}
{%- endmacro %}

{% macro default__local_date(instant, timezone) -%}
    cast(({{ instant }} at time zone {{ timezone }}) as date)
{%- endmacro %}

{% macro spark__local_date(instant, timezone) -%}
    to_date(from_utc_timestamp({{ instant }}, {{ timezone }}))
{%- endmacro %}

{#- The wall-clock time of an instant in a time zone, without a zone. -#}
{% macro local_timestamp(instant, timezone) -%}
    {{ adapter.dispatch('local_timestamp', 'tallyhouse')(instant, timezone) }}
{%- endmacro %}

{% macro default__local_timestamp(instant, timezone) -%}
    ({{ instant }} at time zone {{ timezone }})
{%- endmacro %}

{% macro spark__local_timestamp(instant, timezone) -%}
    from_utc_timestamp({{ instant }}, {{ timezone }})
{%- endmacro %}

{#- The instant at which a calendar day, or any wall-clock time, begins in a time zone. Where the clock shows it twice
    it is the first, where it skips it, it is the change: the Azores go from 01:00 back to midnight. -#}
{% macro day_start(day, timezone) -%}
    {{ adapter.dispatch('day_start', 'tallyhouse')(day, timezone) }}
{%- endmacro %}

{% macro default__day_start(day, timezone) -%}
    {%- set midnight = "cast(" ~ day ~ " as " ~ type_local_timestamp() ~ ")" -%}
    least(
        {{ midnight }} at time zone {{ timezone }},
        (({{ midnight }} - interval '1 hour') at time zone {{ timezone }}) + interval '1 hour'
    )
{%- endmacro %}

{% macro spark__day_start(day, timezone) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), {{ timezone }})
{%- endmacro %}

{#- A query of one row per day, column date_day, both ends included. Ends are SQL expressions. -#}
{% macro date_spine(start_date, end_date) -%}
    {{ adapter.dispatch('date_spine', 'tallyhouse')(start_date, end_date) }}
{%- endmacro %}

{% macro default__date_spine(start_date, end_date) -%}
    select cast(spine.day_at as date) as date_day
    from generate_series(
        cast({{ start_date }} as timestamp), cast({{ end_date }} as timestamp), interval '1 day'
    ) as spine (day_at)
{%- endmacro %}

{% macro spark__date_spine(start_date, end_date) -%}
    select explode(sequence(cast({{ start_date }} as date), cast({{ end_date }} as date), interval 1 day)) as date_day
{%- endmacro %}

{#- A query of one row per hour, column hour_at (instant), both ends included. -#}
{% macro hour_spine(start_at, end_at) -%}
    {{ adapter.dispatch('hour_spine', 'tallyhouse')(start_at, end_at) }}
{%- endmacro %}

{% macro default__hour_spine(start_at, end_at) -%}
    select spine.hour_at
    from generate_series({{ start_at }}, {{ end_at }}, interval '1 hour') as spine (hour_at)
{%- endmacro %}

{% macro spark__hour_spine(start_at, end_at) -%}
    select explode(sequence({{ start_at }}, {{ end_at }}, interval 1 hour)) as hour_at
{%- endmacro %}

{#- Whole days from the first date to the second. -#}
{% macro days_between(first_date, second_date) -%}
    {{ adapter.dispatch('days_between', 'tallyhouse')(first_date, second_date) }}
{%- endmacro %}

{% macro default__days_between(first_date, second_date) -%}
    ({{ second_date }} - {{ first_date }})
{%- endmacro %}

{% macro duckdb__days_between(first_date, second_date) -%}
    date_diff('day', {{ first_date }}, {{ second_date }})
{%- endmacro %}

{% macro spark__days_between(first_date, second_date) -%}
    datediff({{ second_date }}, {{ first_date }})
{%- endmacro %}

{#- A date some days later (earlier with a negative number). -#}
{% macro add_days(day, days) -%}
    {{ adapter.dispatch('add_days', 'tallyhouse')(day, days) }}
{%- endmacro %}

{% macro default__add_days(day, days) -%}
    ({{ day }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add({{ day }}, cast({{ days }} as int))
{%- endmacro %}

{#- An instant (or wall-clock time) some units later; unit is second, minute, hour, day, week, month or year. -#}
{% macro add_interval(instant, amount, unit) -%}
    {{ adapter.dispatch('add_interval', 'tallyhouse')(instant, amount, unit) }}
{%- endmacro %}

{% macro default__add_interval(instant, amount, unit) -%}
    ({{ instant }} + ({{ amount }}) * interval '1 {{ unit }}')
{%- endmacro %}

{% macro spark__add_interval(instant, amount, unit) -%}
    timestampadd({{ unit }}, {{ amount }}, {{ instant }})
{%- endmacro %}

{#- A date some months later; the last day of the month where the day does not exist. -#}
{% macro add_months(day, months) -%}
    cast({{ add_interval("cast(" ~ day ~ " as " ~ type_local_timestamp() ~ ")", months, 'month') }} as date)
{%- endmacro %}

{#- Whole months from the month of the first date to the month of the second. -#}
{% macro months_between(first_date, second_date) -%}
    {{ adapter.dispatch('months_between', 'tallyhouse')(first_date, second_date) }}
{%- endmacro %}

{% macro default__months_between(first_date, second_date) -%}
    cast(
        12 * (extract(year from {{ second_date }}) - extract(year from {{ first_date }}))
        + extract(month from {{ second_date }}) - extract(month from {{ first_date }})
        as integer
    )
{%- endmacro %}

{#- First day of the ISO week (Monday), month, quarter or year of a date. -#}
{% macro week_start(day) -%}{{ _period_start('week', day) }}{%- endmacro %}
{% macro month_start(day) -%}{{ _period_start('month', day) }}{%- endmacro %}
{% macro quarter_start(day) -%}{{ _period_start('quarter', day) }}{%- endmacro %}
{% macro year_start(day) -%}{{ _period_start('year', day) }}{%- endmacro %}
{% macro _period_start(period, day) -%}
    cast(date_trunc('{{ period }}', cast({{ day }} as {{ type_local_timestamp() }})) as date)
{%- endmacro %}

{#- Start of the UTC hour or minute of an instant. -#}
{% macro hour_start(instant) -%}{{ adapter.dispatch('instant_start', 'tallyhouse')('hour', instant) }}{%- endmacro %}
{% macro minute_start(instant) -%}
    {{ adapter.dispatch('instant_start', 'tallyhouse')('minute', instant) }}
{%- endmacro %}
{% macro default__instant_start(unit, instant) -%}date_trunc('{{ unit }}', {{ instant }}, 'UTC'){%- endmacro %}
{% macro duckdb__instant_start(unit, instant) -%}date_trunc('{{ unit }}', {{ instant }}){%- endmacro %}
{% macro spark__instant_start(unit, instant) -%}date_trunc('{{ unit }}', {{ instant }}){%- endmacro %}

{#- Day of the week of a date, Monday 1 to Sunday 7; ISO year and week. -#}
{% macro iso_day_of_week(day) -%}{{ adapter.dispatch('iso_part', 'tallyhouse')('isodow', day) }}{%- endmacro %}
{% macro iso_year(day) -%}{{ adapter.dispatch('iso_part', 'tallyhouse')('isoyear', day) }}{%- endmacro %}
{% macro iso_week(day) -%}{{ adapter.dispatch('iso_part', 'tallyhouse')('week', day) }}{%- endmacro %}
{% macro default__iso_part(part, day) -%}cast(extract({{ part }} from {{ day }}) as integer){%- endmacro %}
{% macro spark__iso_part(part, day) -%}
    {%- set parts = {'isodow': 'dayofweek_iso', 'isoyear': 'yearofweek', 'week': 'week'} %}
    cast(extract({{ parts[part] }} from {{ day }}) as int)
{%- endmacro %}

{#- Seconds since 1970-01-01 UTC, with fractions; seconds between two instants. -#}
{% macro epoch_seconds(instant) -%}
    {{ adapter.dispatch('epoch_seconds', 'tallyhouse')(instant) }}
{%- endmacro %}

{% macro default__epoch_seconds(instant) -%}
    extract(epoch from {{ instant }})
{%- endmacro %}

{% macro spark__epoch_seconds(instant) -%}
    (unix_micros({{ instant }}) / 1000000)
{%- endmacro %}

{% macro seconds_between(first_instant, second_instant) -%}
    ({{ epoch_seconds(second_instant) }} - {{ epoch_seconds(first_instant) }})
{%- endmacro %}

{#- An instant from milliseconds or seconds since 1970-01-01 UTC. -#}
{% macro to_timestamp_ms(expression) -%}
    {{ adapter.dispatch('to_timestamp_ms', 'tallyhouse')(expression) }}
{%- endmacro %}

{% macro default__to_timestamp_ms(expression) -%}
    (timestamptz '1970-01-01 00:00:00+00' + ({{ expression }}) * interval '1 millisecond')
{%- endmacro %}

{% macro spark__to_timestamp_ms(expression) -%}
    timestamp_millis({{ expression }})
{%- endmacro %}

{% macro to_timestamp_seconds(expression) -%}
    {{ to_timestamp_ms("1000 * (" ~ expression ~ ")") }}
{%- endmacro %}

{#- Literals of the column's own type, so that bounds prune partitions when the query is planned. -#}
{% macro timestamp_literal(text) -%}
    {{ adapter.dispatch('timestamp_literal', 'tallyhouse')(text) }}
{%- endmacro %}
{% macro default__timestamp_literal(text) -%}timestamptz '{{ text }}'{%- endmacro %}
{% macro spark__timestamp_literal(text) -%}timestamp '{{ text }}'{%- endmacro %}

{% macro date_literal(text) -%}date '{{ text }}'{%- endmacro %}

{#- A query of the time zones the engine knows, column timezone: a wrong name in a source must not stop a build. -#}
{% macro known_timezones() -%}
    {{ adapter.dispatch('known_timezones', 'tallyhouse')() }}
{%- endmacro %}

{% macro default__known_timezones() -%}
    select zones.name as timezone from pg_timezone_names as zones
{%- endmacro %}

{% macro duckdb__known_timezones() -%}
    select zones.name as timezone from pg_timezone_names() as zones
{%- endmacro %}

{#- Spark knows the zones of its Java, but has no list of them; dbt brings one. -#}
{% macro spark__known_timezones() -%}
    select explode(array('{{ modules.pytz.all_timezones | join("', '") }}')) as timezone
{%- endmacro %}
