with rules as (

    select * from {{ ref('retention_rules') }}

),

products as (

    select * from {{ ref('products') }}

),

applicable as (

    select
        products.product,
        rules.dataset,
        rules.bound,
        rules.basis,
        rules.retain_for,
        rules.retain_unit,
        -- months and years in days, only to compare rules with each other
        rules.retain_for * case rules.retain_unit when 'day' then 1 when 'month' then 30.4375 else 365.25 end
            as comparable_days
    from rules
    inner join products on rules.product = products.product or rules.product = '*'

),

ranked as (

    -- of what may be kept at most the shortest rule holds, of what must be kept at least the longest
    select
        *,
        row_number() over (
            partition by product, dataset, bound
            order by case bound when 'at_most' then comparable_days else -comparable_days end asc, basis asc
        ) as rank_number
    from applicable

),

final as (

    select
        product,
        dataset,
        bound,

        basis,
        retain_unit,

        retain_for
    from ranked
    where rank_number = 1

)

select * from final
