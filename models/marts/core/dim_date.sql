{#- A day, shifted so that the fiscal year begins in January; and back. -#}
{%- set months_later = var('fiscal_year_starts_in') - 1 -%}
{%- set in_fiscal_year = add_months(month_start('days.date_day'), -months_later) -%}

with days as (

    {{ date_spine(date_literal('1990-01-01'), date_literal('2035-12-31')) }}

),

holidays as (

    select * from {{ ref('public_holidays') }}

),

holidays_by_day as (

    select
        holiday_date,
        max(case when country_code = 'ZA' then holiday_name end) as holiday_name_za,
        max(case when country_code = 'NL' then holiday_name end) as holiday_name_nl
    from holidays
    group by holiday_date

),

final as (

    select
        days.date_day as date_key,

        {{ iso_year('days.date_day') }} as iso_year,
        {{ iso_week('days.date_day') }} as iso_week,
        {{ iso_day_of_week('days.date_day') }} as iso_day_of_week,
        {{ month_of_year('days.date_day') }} as month_number,
        {{ month_of_year(in_fiscal_year) }} as fiscal_month_number,
        -- named by the calendar year in which it ends
        {{ calendar_year(add_months(year_start(in_fiscal_year), months_later + 11)) }} as fiscal_year,
        case {{ iso_day_of_week('days.date_day') }}
            {%- for name in ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}
            when {{ loop.index }} then '{{ name }}'
            {%- endfor %}
        end as weekday_name,
        case {{ month_of_year('days.date_day') }}
            {%- for name in [
                'January', 'February', 'March', 'April', 'May', 'June',
                'July', 'August', 'September', 'October', 'November', 'December',
            ] %}
            when {{ loop.index }} then '{{ name }}'
            {%- endfor %}
        end as month_name,
        holidays_by_day.holiday_name_za,
        holidays_by_day.holiday_name_nl,

        {{ iso_day_of_week('days.date_day') }} >= 6 as is_weekend,
        -- the calendars of public holidays cover 2015 to 2030; outside them it is not known
        case
            when days.date_day between {{ date_literal('2015-01-01') }} and {{ date_literal('2030-12-31') }}
                then holidays_by_day.holiday_name_za is not null
        end as is_holiday_za,
        case
            when days.date_day between {{ date_literal('2015-01-01') }} and {{ date_literal('2030-12-31') }}
                then holidays_by_day.holiday_name_nl is not null
        end as is_holiday_nl,

        {{ week_start('days.date_day') }} as week_start,
        {{ month_start('days.date_day') }} as month_start,
        {{ quarter_start('days.date_day') }} as quarter_start,
        {{ year_start('days.date_day') }} as year_start,
        {{ add_months(quarter_start(in_fiscal_year), months_later) }} as fiscal_quarter_start,
        {{ add_months(year_start(in_fiscal_year), months_later) }} as fiscal_year_start
    from days
    left join holidays_by_day on days.date_day = holidays_by_day.holiday_date

)

select * from final
