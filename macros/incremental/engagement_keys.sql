{#- Affected keys of the engagement models. What a load touched is known by tenant and day; these macros widen it to the
    weeks, months, trailing windows and users whose numbers depend on those days. -#}

{#- columns: tenant, local date (or first day of the week). Whole weeks that hold an affected local day. -#}
{% macro affected_local_weeks(columns) -%}
    {%- set pairs = {} -%}
    {%- for pair in _local_pairs() -%}
        {%- set monday = _shifted(pair[1], -modules.datetime.date.fromisoformat(pair[1]).weekday()) -%}
        {%- for number in range(7) -%}
            {%- do pairs.update({(pair[0], _shifted(monday, number)): true}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ pairs_condition(columns, pairs.keys() | list) }}
{%- endmacro %}

{#- columns: tenant, local date (or first day of the month). Whole months that hold an affected local day. -#}
{% macro affected_local_months(columns) -%}
    {%- set pairs = {} -%}
    {%- for pair in _local_pairs() -%}
        {%- set first_day = pair[1][:8] ~ '01' -%}
        {%- for number in range(31) -%}
            {%- set day = _shifted(first_day, number) -%}
            {%- if day[:7] == pair[1][:7] -%}
                {%- do pairs.update({(pair[0], day): true}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ pairs_condition(columns, pairs.keys() | list) }}
{%- endmacro %}

{#- columns: tenant, user. Users active on an affected local day now, or first or last seen on one until now. -#}
{% macro affected_engaged_users(columns) -%}
    {%- set pairs = affected_tenant_day_pairs() -%}
    {%- if not pairs -%}
        false
    {%- else -%}
        ({{ columns | join(', ') }}) in (
            select days.tenant_id, days.user_id
            from {{ _ancestor_relation('int_engagement__user_days') }} as days
            where {{ pairs_condition(['days.tenant_id', 'days.date_key'], pairs, widen=1) }}
            union
            select known.tenant_id, known.user_id
            from {{ this }} as known
            where
                {{ pairs_condition(['known.tenant_id', 'known.first_date'], pairs, widen=1) }}
                or {{ pairs_condition(['known.tenant_id', 'known.last_date'], pairs, widen=1) }}
        )
    {%- endif -%}
{%- endmacro %}

{#- columns: cohort type, tenant, first day of a period. Days, weeks and months that hold an affected local day, or one on
    which a user was active whose first day is another one since. -#}
{% macro affected_cohort_periods(columns) -%}
    {%- set moved -%}
        select days.tenant_id, days.date_key as event_date
        from {{ _ancestor_relation('int_engagement__users') }} as users
        inner join {{ _ancestor_relation('int_engagement__user_days') }} as days
            on users.tenant_id = days.tenant_id and users.user_id = days.user_id
        where users.first_date_load_id > {{ load_watermark() }}
    {%- endset -%}
    {%- set days = (_local_pairs() + _query_pairs(moved)) | unique | list -%}
    {%- set weeks, months = {}, {} -%}
    {%- for tenant, day in days -%}
        {%- do weeks.update({(tenant, _shifted(day, -modules.datetime.date.fromisoformat(day).weekday())): true}) -%}
        {%- do months.update({(tenant, day[:8] ~ '01'): true}) -%}
    {%- endfor -%}
    {%- set conditions = [] -%}
    {%- for cohort_type, pairs in [('day', days), ('week', weeks.keys() | list), ('month', months.keys() | list)] if pairs -%}
        {%- do conditions.append(
            "(" ~ columns[0] ~ " = '" ~ cohort_type ~ "' and " ~ pairs_condition([columns[1], columns[2]], pairs) ~ ")"
        ) -%}
    {%- endfor -%}
    {{ any_of(conditions) }}
{%- endmacro %}

{#- columns: tenant, metric date. Days whose trailing windows hold an affected local day, and days by which a tenant's
    calendar grew, shrank or became complete. -#}
{% macro affected_engagement_days(columns) -%}
    {%- set change = _calendar_change() -%}
    {%- set conditions = [pairs_condition(columns, _trailing_pairs())] -%}
    {%- if change.tenants -%}
        {%- do conditions.append(columns[0] ~ " in ('" ~ change.tenants | join("', '") ~ "')") -%}
    {%- endif -%}
    {%- for tenant, day in change.before -%}
        {%- do conditions.append("(" ~ columns[0] ~ " = '" ~ tenant ~ "' and " ~ columns[1] ~ " < " ~ date_literal(day) ~ ")") -%}
    {%- endfor -%}
    {%- if change.since -%}
        {%- do conditions.append(columns[1] ~ " >= " ~ date_literal(change.since)) -%}
    {%- endif -%}
    {{ any_of(conditions) }}
{%- endmacro %}

{#- The same, with the days of the sessions that were replaced. -#}
{% macro affected_engagement_and_session_days(columns) -%}
    {%- set replaced = logged_days('fact_sessions') -%}
    {{ any_of([
        affected_engagement_days(columns),
        'true' if replaced is none else pairs_condition(columns, replaced),
    ]) }}
{%- endmacro %}

{#- A condition on a date column: the days from which the affected engagement days are computed. -#}
{% macro within_affected_windows(column) -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {%- set change = _calendar_change() -%}
        {%- set days = _trailing_pairs() | map(attribute=1) | list + change.first_dates -%}
        {%- do days.append(change.since) if change.since -%}
        {%- if days -%}
            {{ column }} >= {{ add_days(date_literal(days | min), -30) }}
        {%- else -%}
            false
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The affected local days as pairs, each with the 29 days whose trailing 30 days hold it. -#}
{% macro _trailing_pairs() -%}
    {%- set pairs = {} -%}
    {%- for pair in _local_pairs() -%}
        {%- for later in range(30) -%}
            {%- do pairs.update({(pair[0], _shifted(pair[1], later)): true}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(pairs.keys() | list) }}
{%- endmacro %}

{#- How the calendars of the tenants differ from the days that this model holds (column metric_date):
    tenants       new here or gone: all their days
    before        (tenant, day): the first day moved; all days before this one
    since         the running day moved for somebody: all days of everybody from here on
    first_dates   where the days of the first two begin -#}
{% macro _calendar_change() -%}
    {%- set change = namespace(tenants=[], before=[], since=none, first_dates=[]) -%}
    {%- set query -%}
        select
            cast(coalesce(held.tenant_id, horizons.tenant_id) as {{ type_string() }}) as tenant_id,
            cast(held.first_date as {{ type_string() }}) as held_first_date,
            cast(held.last_date as {{ type_string() }}) as held_last_date,
            cast(horizons.first_date as {{ type_string() }}) as first_date,
            cast(horizons.running_date as {{ type_string() }}) as running_date
        from (
            select product, tenant_id, min(metric_date) as first_date, max(metric_date) as last_date
            from {{ this }}
            group by product, tenant_id
        ) as held
        full join (
            select * from {{ _ancestor_relation('int_engagement__tenant_horizons') }} where first_date <= running_date
        ) as horizons
            on held.product = horizons.product and held.tenant_id = horizons.tenant_id
        where
            held.tenant_id is null
            or horizons.tenant_id is null
            or held.first_date <> horizons.first_date
            or held.last_date <> horizons.running_date
    {%- endset -%}
    {%- for tenant, held_first, held_last, first, running in run_query(query).rows -%}
        {%- if not held_first or not first -%}
            {%- do change.tenants.append(tenant) -%}
            {%- do change.first_dates.append(first or held_first) -%}
        {%- else -%}
            {%- if held_first != first -%}
                {%- do change.before.append((tenant, [held_first, first] | max)) -%}
                {%- do change.first_dates.append(first) -%}
            {%- endif -%}
            {%- if held_last != running -%}
                {%- set change.since = [held_last, running, change.since or running] | min -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(change) }}
{%- endmacro %}

{#- The pairs (tenant, local day) that a load may have touched. -#}
{% macro _local_pairs() -%}
    {%- set pairs = {} -%}
    {%- for pair in affected_tenant_day_pairs() -%}
        {%- for shift in [-1, 0, 1] -%}
            {%- do pairs.update({(pair[0], _shifted(pair[1], shift)): true}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(pairs.keys() | list) }}
{%- endmacro %}
