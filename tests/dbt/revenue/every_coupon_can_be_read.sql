{#- Beside the coupons it reads the last of revenue's marts, so that all of them are built before it fails. -#}
-- depends_on: {{ ref('metrics_mrr_policy_bridge') }}
{%- set unread %}
    with applied as (

        select
            versions.account,
            case
                when discounts.coupon_source_id is not null then 'the coupon ' || discounts.coupon_source_id
                else 'the coupon of the discount ' || discounts.discount_source_id
            end as coupon,
            versions.subscription_source_id
        from {{ ref('int_revenue__stripe_discounts') }} as discounts
        inner join {{ ref('int_revenue__stripe_versions') }} as versions
            on discounts.account = versions.account and discounts.event_id = versions.event_id
        where
            not discounts.is_read
            and versions.version_number is not null
            and versions.status in ('active', 'past_due')

        union all

        select
            account,
            case
                when coupon_source_id is not null then 'the coupon ' || coupon_source_id
                else 'the coupon of the discount ' || discount_source_id
            end as coupon,
            subscription_source_id
        from {{ ref('int_revenue__stripe_customer_discounts') }}
        where not is_read

    )

    select
        account,
        coupon,
        count(distinct subscription_source_id) as subscriptions
    from applied
    group by account, coupon
{%- endset %}

{%- if execute and flags.WHICH in ('build', 'test') %}
    {%- set sentences = [] %}
    {%- for row in run_query(unread ~ " order by 1, 2") %}
        {%- do sentences.append(
            row['coupon'] ~ " of " ~ row['account'] ~ " (subscriptions with it: " ~ row['subscriptions'] ~ ")"
        ) %}
    {%- endfor %}
    {%- if sentences %}
        {{ exceptions.raise_compiler_error(
            "Nobody says what these take off, and what they stand on counts nothing: " ~ sentences | join("; ")
            ~ ". Land Stripe's list of coupons (GET /v1/coupons) as stripe/ACCOUNT/coupons.json, for discounts known"
            ~ " by their id alone the subscriptions with them (GET /v1/subscriptions?expand[]=data.discounts), or an"
            ~ " invoice that bills them, and run again."
        ) }}
    {%- endif %}
{%- endif %}

{{ unread }}
