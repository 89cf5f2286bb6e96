"""RostraCore's invented price list: a seat a month, in minor units of each currency. Data only."""

STRIPE_PRICES = {
    "starter": {"usd": 900, "eur": 850, "zar": 15000, "gbp": 750, "jpy": 1300},
    "professional": {"usd": 1400, "eur": 1300, "zar": 23000, "gbp": 1150, "jpy": 2000},
    "business": {"usd": 1900, "eur": 1750, "zar": 31000, "gbp": 1550, "jpy": 2700},
}
YEARLY_MONTHS = 10
