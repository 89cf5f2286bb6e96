"""UpCoach's invented price lists. Data only.

Through Stripe in minor units of each currency (JPY has none), in an app store in US cents.
"""

STRIPE_PRICES = {
    "pro": {"usd": 2900, "eur": 2700, "zar": 49900, "gbp": 2400, "jpy": 4200},
    "premium": {"usd": 5900, "eur": 5500, "zar": 99900, "gbp": 4900, "jpy": 8600},
    "starter": {"usd": 900, "eur": 850, "zar": 15000, "gbp": 750, "jpy": 1300},
}
YEARLY_MONTHS = 10
# beside the first item of a subscription, each for the same price
ADDON_PRICES = {
    plan: {"usd": 400, "eur": 350, "zar": 6900, "gbp": 330, "jpy": 590}
    for plan in ("storage", "insights")
}

STORE_PRICES = {
    ("pro", "month"): 1499,
    ("pro", "year"): 11999,
    ("pro", "week"): 499,
    ("premium", "month"): 2999,
    ("premium", "year"): 23999,
}
# what a store's product is called at Stripe
STORE_LABELS = {
    f"upcoach.{plan}.{interval}ly": f"UpCoach {plan} {interval}ly"
    for plan, interval in STORE_PRICES
}
