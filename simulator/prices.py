"""The invented price lists, in minor units of each currency (JPY has none). Data only."""

STRIPE_PRICES = {
    "pro": {"usd": 2900, "eur": 2700, "zar": 49900, "gbp": 2400, "jpy": 4200},
    "premium": {"usd": 5900, "eur": 5500, "zar": 99900, "gbp": 4900, "jpy": 8600},
    "starter": {"usd": 900, "eur": 850, "zar": 15000, "gbp": 750, "jpy": 1300},
    "professional": {"usd": 1400, "eur": 1300, "zar": 23000, "gbp": 1150, "jpy": 2000},
    "business": {"usd": 1900, "eur": 1750, "zar": 31000, "gbp": 1550, "jpy": 2700},
}
YEARLY_MONTHS = 10

# RevenueCat: price in US cents and the store's local price of the same product.
STORE_PRICES = {
    ("pro", "month"): 1499,
    ("pro", "year"): 11999,
    ("pro", "week"): 499,
    ("premium", "month"): 2999,
    ("premium", "year"): 23999,
}
STORE_RATES = {"usd": 100, "eur": 92, "zar": 1800, "gbp": 80, "jpy": 15000}
