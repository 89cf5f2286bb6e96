{#- How unevenly values are shared, 0 (all equal) to nearly 1 (one has all): the mean difference of all pairs over
    twice the mean, as an aggregate over rows that know their rank. Ranks count from 1 in ascending order of the
    value; n values of which those without a row are 0 have the lowest ranks, so that zeros need no row: a row's rank
    is then that among the rows plus the number of missing ones. 0 where nobody has anything, and for up to one
    value. -#}
{% macro gini(value, value_rank, value_count) -%}
    case
        when {{ value_count }} <= 1 or coalesce(sum({{ value }}), 0) = 0 then 0
        else
            {{ rate(
                '2 * sum(' ~ value ~ ' * (' ~ value_rank ~ ')) - (' ~ value_count ~ ' + 1) * sum(' ~ value ~ ')',
                value_count ~ ' * sum(' ~ value ~ ')'
            ) }}
    end
{%- endmacro %}
