{#- Funnels: how many users of those who did one step did the next. -#}

{#- A query of a funnel: one row per product, tenant, value of each property in `by` (macros/metrics/properties.sql) and
    step, with step_number, step_name, users_entered (of the step before; of the first step its own), users_completed,
    conversion_rate and median_minutes_from_start.

    steps   events in their order: names, or dictionaries of `event`, properties that it must have, and `name`
    within  time from the first step to each later one, as in '7 days', '30 minutes'; none for any

    A user may try as often as he likes: a step counts when any of his attempts reaches it, each step at the time of the
    one before or later, whatever happens in between. All of it is one pass over the events of these steps. -#}
{% macro funnel(steps, by=none, within=none) -%}
    {%- set stated = _stated_steps(steps) -%}
    {%- set properties = asked_properties(by) -%}
    {%- set limit = (within or '').split(' ') -%}
    {%- if within and not modules.re.fullmatch('[1-9][0-9]* (second|minute|hour|day|week)s?', within) -%}
        {{ refuse_call("funnel", "does not understand within='" ~ within
            ~ "'. Say a number of seconds, minutes, hours, days or weeks: '7 days'.") }}
    {%- endif -%}
    with horizons as (

        select * from {{ ref('int_engagement__tenant_horizons') }}

    ),

    steps as (
        {% for step in stated %}
        select {{ loop.index }} as step_number, '{{ step.name }}' as step_name{{ ' union all' if not loop.last }}
        {%- endfor %}

    ),

    chain_0 as (

        select
            events.product,
            events.tenant_id,
            events.user_id,
            events.occurred_at,
            case
                {%- for step in stated %}
                when {{ step.condition }} then {{ loop.index }}
                {%- endfor %}
            end as step_number
        from {{ ref('fact_events') }} as events
        inner join horizons
            on
                events.product = horizons.product
                and events.tenant_id = horizons.tenant_id
        where
            events.event_name in ('{{ stated | map(attribute='event') | unique | join("', '") }}')
            and events.user_id is not null
            and events.date_key <= horizons.running_date

    ),

    chain_1 as (

        select
            *,
            case when step_number = 1 then occurred_at end as start_1
        from chain_0
        where step_number is not null

    ),
    {% for step in stated[1:] %}
    {%- set number = loop.index + 1 %}
    -- the newest start from which step {{ number - 1 }} was reached by then: no older one leaves more time
    before_{{ number }} as (

        select
            *,
            max(start_{{ number - 1 }}) over (
                partition by product, tenant_id, user_id
                order by occurred_at
            ) as start_before_{{ number }}
        from chain_{{ number - 1 }}

    ),

    chain_{{ number }} as (

        select
            *,
            case
                when
                    step_number = {{ number }}
                    {%- if within %}
                    and occurred_at <= {{ add_interval('start_before_' ~ number, limit[0], limit[1].rstrip('s')) }}
                    {%- endif %}
                    then start_before_{{ number }}
            end as start_{{ number }}
        from before_{{ number }}

    ),
    {% endfor %}
    attempts as (

        select
            product,
            tenant_id,
            user_id,
            step_number,
            occurred_at as reached_at,
            case step_number
                {%- for step in stated %}
                when {{ loop.index }} then start_{{ loop.index }}
                {%- endfor %}
            end as started_at
        from chain_{{ stated | length }}

    ),

    {{ property_ctes(properties) }}

    reached as (

        select
            attempts.product,
            attempts.tenant_id,
            {%- for name in properties %}
            {{ name }}_of_users.{{ name }},
            {%- endfor %}
            attempts.user_id,
            attempts.step_number,
            min(attempts.reached_at) as reached_at,
            {{ earliest_by('attempts.started_at', 'attempts.reached_at') }} as started_at
        from attempts
        {{ property_joins(properties, 'attempts') }}
        where attempts.started_at is not null
        group by
            attempts.product,
            attempts.tenant_id,
            {%- for name in properties %}
            {{ name }}_of_users.{{ name }},
            {%- endfor %}
            attempts.user_id,
            attempts.step_number

    ),

    counted as (

        {{ funnel_counts('reached', 'steps', by=properties.keys() | list) }}

    )

    select * from counted
{%- endmacro %}

{#- The counts of a funnel, from CTEs: `reached` (product, tenant_id, the columns of `by`, user_id, step_number,
    started_at, reached_at), and `steps` (step_number, step_name; with is_by_product each product has its own). -#}
{% macro funnel_counts(reached, steps, by=[], is_by_product=false) -%}
    {%- set group = ['product', 'tenant_id'] + by -%}
    {%- set entered -%}
        coalesce(lag(users) over (partition by {{ group | join(', ') }} order by step_number), users)
    {%- endset -%}
    select
        {{ group | join(',\n        ') }},
        step_number,
        step_name,
        {{ entered }} as users_entered,
        users as users_completed,
        {{ rate('users', entered) }} as conversion_rate,
        median_minutes_from_start
    from (
        select
            {%- for column in group %}
            groups.{{ column }},
            {%- endfor %}
            steps.step_number,
            steps.step_name,
            coalesce(counts.users, 0) as users,
            cast(counts.median_minutes as {{ type_numeric() }}) as median_minutes_from_start
        from (select distinct {{ group | join(', ') }} from {{ reached }}) as groups
        {%- if is_by_product %}
        inner join {{ steps }} as steps on groups.product = steps.product
        {%- else %}
        cross join {{ steps }} as steps
        {%- endif %}
        left join (
            select
                {{ group | join(',\n                ') }},
                step_number,
                count(*) as users,
                {{ median(seconds_between('started_at', 'reached_at') ~ ' / 60') }} as median_minutes
            from {{ reached }}
            group by {{ group | join(', ') }}, step_number
        ) as counts
            on
                steps.step_number = counts.step_number
                and groups.product = counts.product
                and groups.tenant_id = counts.tenant_id
                {%- for column in by %}
                and (
                    groups.{{ column }} = counts.{{ column }}
                    or (groups.{{ column }} is null and counts.{{ column }} is null)
                )
                {%- endfor %}
    ) as cells
{%- endmacro %}

{#- The steps of a funnel as they were given, each with its event, its name and the condition on fact_events. -#}
{% macro _stated_steps(steps) -%}
    {%- set stated, seen = [], {} -%}
    {%- for step in steps -%}
        {%- set given = step if step is mapping else {'event': step} -%}
        {%- set wanted = {} -%}
        {%- for name, value in given.items() if name not in ('event', 'name') -%}
            {%- do wanted.update({name: value | string}) -%}
        {%- endfor -%}
        {%- for other in seen.get(given.event, []) -%}
            {%- set apart = [] -%}
            {%- for name, value in wanted.items() if name in other and other[name] != value -%}
                {%- do apart.append(name) -%}
            {%- endfor -%}
            {%- if not apart -%}
                {{ refuse_call("funnel", "has two steps that one event " ~ given.event
                    ~ " could be. Let a property tell them apart: {'event': '" ~ given.event ~ "', 'screen': '…'}.") }}
            {%- endif -%}
        {%- endfor -%}
        {%- do seen.update({given.event: seen.get(given.event, []) + [wanted]}) -%}
        {%- set conditions = ["events.event_name = '" ~ given.event ~ "'"] -%}
        {%- for name, value in wanted.items() -%}
            {%- do conditions.append(json_text('events.properties', name) ~ " = '" ~ value ~ "'") -%}
        {%- endfor -%}
        {%- do stated.append({
            'event': given.event,
            'name': given.get('name', ([given.event] + wanted.values() | list) | join(': ')),
            'condition': conditions | join(' and '),
        }) -%}
    {%- endfor -%}
    {%- if stated | length < 2 -%}
        {{ refuse_call("funnel", "needs two steps at least.") }}
    {%- endif -%}
    {{ return(stated) }}
{%- endmacro %}
