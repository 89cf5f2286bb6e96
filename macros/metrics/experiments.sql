{#- Statistics of an experiment from its counts, as a query: all columns of the CTE `counts` (exposures_a, exposures_b,
    conversions_a, conversions_b, planned_users_per_variant, share_b) and
    - lift: rate of B minus rate of A; relative_lift: lift / rate of A
    - p_value: two proportions are one (pooled z test, which is Pearson's chi-square without correction)
    - ci_low, ci_high: Newcombe's interval of the lift, from Wilson's score intervals of both rates
    - sequential_ci_low, sequential_ci_high: asymptotic confidence sequence of the lift (Waudby-Smith and others, 2021),
      tightest at the planned size; variances with one success and one failure more in each variant, so that a first day
      on which all convert, or none, is no certainty
    - srm_p_value, is_srm: the split is the planned one (chi-square of one degree of freedom)
    `limits` is the CTE that holds `experiment_limits`. -#}
{% macro experiment_statistics(counts, limits) -%}
    {%- set double = type_double() -%}
    select
        tested.*,
        {{ published_statistic('rate_b - rate_a') }} as lift,
        {{ published_statistic('(rate_b - rate_a) / nullif(rate_a, 0)') }} as relative_lift,
        {{ published_statistic(
            'rate_b - rate_a - sqrt((rate_b - low_b) * (rate_b - low_b) + (high_a - rate_a) * (high_a - rate_a))'
        ) }} as ci_low,
        {{ published_statistic(
            'rate_b - rate_a + sqrt((high_b - rate_b) * (high_b - rate_b) + (rate_a - low_a) * (rate_a - low_a))'
        ) }} as ci_high,
        {{ published_statistic(two_sided_tail('difference_y')) }} as p_value,
        {{ published_statistic(
            'case when sequential_radius > 0 then greatest(-1e0, rate_b - rate_a - sequential_radius) end'
        ) }} as sequential_ci_low,
        {{ published_statistic(
            'case when sequential_radius > 0 then least(1e0, rate_b - rate_a + sequential_radius) end'
        ) }} as sequential_ci_high,
        {{ published_statistic(two_sided_tail('split_y')) }} as srm_p_value,
        coalesce({{ two_sided_tail('split_y') }} < {{ var('experiment_srm_alpha') }}, false) as is_srm
    from (
        select
            measured.*,
            (rate_a + z2_a / 2e0 - z * sqrt(rate_a * (1e0 - rate_a) / n_a + z2_a / n_a / 4e0)) / (1e0 + z2_a) as low_a,
            (rate_a + z2_a / 2e0 + z * sqrt(rate_a * (1e0 - rate_a) / n_a + z2_a / n_a / 4e0)) / (1e0 + z2_a) as high_a,
            (rate_b + z2_b / 2e0 - z * sqrt(rate_b * (1e0 - rate_b) / n_b + z2_b / n_b / 4e0)) / (1e0 + z2_b) as low_b,
            (rate_b + z2_b / 2e0 + z * sqrt(rate_b * (1e0 - rate_b) / n_b + z2_b / n_b / 4e0)) / (1e0 + z2_b) as high_b,
            abs(rate_b - rate_a) / sqrt(2e0 * nullif(
                (x_a + x_b) / (n_a + n_b) * (1e0 - (x_a + x_b) / (n_a + n_b)) * (1e0 / n_a + 1e0 / n_b), 0
            )) as difference_y,
            -- chi-square of two cells is (found - expected)^2 / (n * share * (1 - share))
            abs(n_b_or_0 - n_all * share_b) / sqrt(2e0 * n_all * share_b * (1e0 - share_b)) as split_y,
            sqrt(
                (
                    (x_a + 1e0) / (n_a + 2e0) * (1e0 - (x_a + 1e0) / (n_a + 2e0)) / n_a
                    + (x_b + 1e0) / (n_b + 2e0) * (1e0 - (x_b + 1e0) / (n_b + 2e0)) / n_b
                )
                * (1e0 + information) / information * (ln(1e0 + information) + sequential_limit)
            ) as sequential_radius
        from (
            select
                sized.*,
                {{ limits }}.z,
                {{ limits }}.sequential_limit,
                x_a / n_a as rate_a,
                x_b / n_b as rate_b,
                {{ limits }}.z * {{ limits }}.z / n_a as z2_a,
                {{ limits }}.z * {{ limits }}.z / n_b as z2_b,
                -- what was learned, as a share of what the plan promises, on the scale of the confidence sequence
                {{ limits }}.sequential_tuning * n_a * n_b / (n_a + n_b)
                / (cast(planned_users_per_variant as {{ double }}) / 2e0) as information
            from (
                select
                    {{ counts }}.*,
                    nullif(cast(exposures_a as {{ double }}), 0) as n_a,
                    nullif(cast(exposures_b as {{ double }}), 0) as n_b,
                    cast(exposures_b as {{ double }}) as n_b_or_0,
                    nullif(cast(exposures_a + exposures_b as {{ double }}), 0) as n_all,
                    cast(conversions_a as {{ double }}) as x_a,
                    cast(conversions_b as {{ double }}) as x_b
                from {{ counts }}
            ) as sized
            cross join {{ limits }}
        ) as measured
    ) as tested
{%- endmacro %}
