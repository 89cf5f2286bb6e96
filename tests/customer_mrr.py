"""MRR of every customer at the end of each of its tenant's days, from the published facts alone.

Belongs here: what is asked of the warehouse, and who a provider's customer is there. Does not belong here: what it
should be (`simulator/truth`).
"""

from collections.abc import Iterable

from ingestion.values.identity import uuid_text

CUSTOMER_DAYS = """
    select
        rates.rate_date::text, periods.policy, periods.customer_id::text,
        sum(periods.mrr_source_cents * case when periods.currency = 'usd' then 1 else rates.rate end)
    from revenue.fact_subscription_periods as periods
    join core.dim_tenant as tenants on tenants.tenant_id = periods.tenant_id
    join intermediate.int_revenue__fx_daily as rates
        on rates.currency = periods.currency
        and rates.rate_date >= cast(periods.valid_from at time zone tenants.timezone as date)
        and (
            periods.valid_to is null
            or rates.rate_date < cast(periods.valid_to at time zone tenants.timezone as date)
        )
    where periods.policy in ({policies}) and rates.rate_date between '{first}' and '{last}'
    group by 1, 2, 3
    having sum(periods.mrr_source_cents) <> 0
"""


def customer_days(policies: Iterable[str], first: str, last: str) -> str:
    """The query: day (ISO), policy, customer and cents of the reporting currency, where there are any."""
    names = ", ".join(f"'{policy}'" for policy in policies)
    return CUSTOMER_DAYS.format(policies=names, first=first, last=last)


def warehouse_customer(product: str, provider: str, customer_id: str) -> str:
    """The id of one whom Stripe, in the product's account, or RevenueCat knows by `customer_id`."""
    account = f"acct_{product}" if provider == "stripe" else product
    return uuid_text(product, "customer", f"{account}|{customer_id}")
