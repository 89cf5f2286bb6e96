{#- Statistics in plain arithmetic, because engines have no tails of the normal distribution in common. Everything
    counts in doubles; what is published is rounded once, by `published_statistic`. -#}

{#- A polynomial by Horner's rule; coefficients from that of the highest power to the constant. -#}
{% macro polynomial(x, coefficients) -%}
    {{ '(' * (coefficients | length - 1) }}{{ coefficients[0] }}
    {%- for coefficient in coefficients[1:] %} * {{ x }} + {{ coefficient }}){%- endfor -%}
{%- endmacro %}

{#- Both tails of the standard normal distribution beyond y * sqrt(2), that is erfc(y), of a double column y >= 0.
    Beyond y = 26 it is below the smallest double. Rational approximations of W. J. Cody (1969), good to 15 digits: with
    y = |z| / sqrt(2) the p-value of a z statistic, with y = sqrt(x / 2) that of a chi-square of one degree of
    freedom. -#}
{% macro two_sided_tail(y) -%}
    {%- set y_squared = '(' ~ y ~ ' * ' ~ y ~ ')' -%}
    {%- set one_over = '(1e0 / ' ~ y_squared ~ ')' -%}
    case
        when {{ y }} <= 0.46875e0
            then 1e0 - {{ y }} * {{ polynomial(y_squared, [
                '1.85777706184603153e-1', '3.16112374387056560e0', '1.13864154151050156e2', '3.77485237685302021e2',
                '3.20937758913846947e3',
            ]) }} / {{ polynomial(y_squared, [
                '1e0', '2.36012909523441209e1', '2.44024637934444173e2', '1.28261652607737228e3',
                '2.84423683343917062e3',
            ]) }}
        when {{ y }} <= 4e0
            then exp(-{{ y_squared }}) * {{ polynomial(y, [
                '2.15311535474403846e-8', '5.64188496988670089e-1', '8.88314979438837594e0', '6.61191906371416295e1',
                '2.98635138197400131e2', '8.81952221241769090e2', '1.71204761263407058e3', '2.05107837782607147e3',
                '1.23033935479799725e3',
            ]) }} / {{ polynomial(y, [
                '1e0', '1.57449261107098347e1', '1.17693950891312499e2', '5.37181101862009858e2',
                '1.62138957456669019e3', '3.29079923573345963e3', '4.36261909014324716e3', '3.43936767414372164e3',
                '1.23033935480374942e3',
            ]) }}
        when {{ y }} <= 26e0
            then exp(-{{ y_squared }}) / {{ y }}
            * (5.6418958354775628695e-1 - {{ one_over }} * {{ polynomial(one_over, [
                '1.63153871373020978e-2', '3.05326634961232344e-1', '3.60344899949804439e-1',
                '1.25781726111229246e-1', '1.60837851487422766e-2', '6.58749161529837803e-4',
            ]) }} / {{ polynomial(one_over, [
                '1e0', '2.56852019228982242e0', '1.87295284992346725e0', '5.27905102951428412e-1',
                '6.05183413124413191e-2', '2.33520497626869185e-3',
            ]) }})
        when {{ y }} > 26e0 then 0e0
    end
{%- endmacro %}

{#- The z beyond which one tail of the standard normal distribution holds p, of a double column
    root = sqrt(-ln(p)) with p between 1e-10 and 0.075: Wichura's algorithm AS 241 (1988), good to 15 digits. -#}
{% macro normal_quantile_of_tail(root) -%}
    {%- set r = '(' ~ root ~ ' - 1.6e0)' -%}
    ({{ polynomial(r, [
        '7.74545014278341407640e-4', '2.27238449892691845833e-2', '2.41780725177450611770e-1',
        '1.27045825245236838258e0', '3.64784832476320460504e0', '5.76949722146069140550e0',
        '4.63033784615654529590e0', '1.42343711074968357734e0',
    ]) }} / {{ polynomial(r, [
        '1.05075007164441684324e-9', '5.47593808499534494600e-4', '1.51986665636164571966e-2',
        '1.48103976427480074590e-1', '6.89767334985100004550e-1', '1.67638483018380384940e0',
        '2.05319162663775882187e0', '1e0',
    ]) }})
{%- endmacro %}

{#- A statistic as it is published: an exact number of twelve decimals, in which no two processors differ. -#}
{% macro published_statistic(x) -%}
    round(cast({{ x }} as {{ type_numeric() }}), 12)
{%- endmacro %}

{#- What experiments are judged by, as a query of one row: `z`, beyond which half of alpha lies in each tail, and the
    limits of the sequential interval. Alpha is var `experiment_alpha`. -#}
{% macro experiment_limits() -%}
    {%- set alpha = var('experiment_alpha') | float -%}
    {%- if not 0.000001 <= alpha <= 0.15 -%}
        {{ exceptions.raise_compiler_error(
            "The var experiment_alpha is " ~ var('experiment_alpha') ~ ": give the share of false alarms that you "
            ~ "bear, between 0.000001 and 0.15 (0.05 as a rule)."
        ) }}
    {%- endif -%}
    {%- set double_alpha = 'cast(' ~ var('experiment_alpha') ~ ' as ' ~ type_double() ~ ')' -%}
    select
        {{ normal_quantile_of_tail('tail_root') }} as z,
        sequential_limit,
        sequential_limit + ln(sequential_limit + 1e0) as sequential_tuning
    from (
        select
            sqrt(-ln({{ double_alpha }} / 2e0)) as tail_root,
            -2e0 * ln({{ double_alpha }}) as sequential_limit
    ) as of_alpha
{%- endmacro %}
