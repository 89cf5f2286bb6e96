"""What studios pay for ProjectFlo: a seat for each contributor, through Stripe; one of them leaves."""

from __future__ import annotations

from simulator.ledger import Customer
from simulator.product import World
from simulator.products.projectflo.catalogue import NAME, SEAT_PRICES, Studio
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, SECOND, local_days

LEAVES = "eastpier"


def pay_seats(studio: Studio, world: World, account: StripeAccount, seats: int) -> None:
    """One studio's subscription, from 40 days before the window on."""
    tenant, window = studio.tenant, world.window
    chance = world.chance(NAME, tenant.source_id, "paying")
    customer = Customer("stripe", NAME, tenant.source_id, "", f"cus_{account.chance.token(14)}")
    world.ledger.opens(customer, local_days(tenant.timezone, window))
    start = (window.start - 40 * DAY + int(chance.between(8, 16) * HOUR)) // SECOND * SECOND
    price = {
        "id": f"price_1seat{tenant.currency}",
        "product": "prod_seat",
        "nickname": "ProjectFlo seat monthly",
        "currency": tenant.currency,
        "interval": "month",
        "amount": SEAT_PRICES[tenant.currency],
        "created": start // SECOND,
    }
    owner = {"tenant_id": tenant.source_id}
    sub = StripeSubscription(
        account, world.ledger, customer, price, seats, f"billing-{tenant.source_id}@example.org",
        tenant.name, owner,
    )  # fmt: skip
    sub.introduce(start - 5 * SECOND, owner)
    sub.start(start)
    sub.sleep_until(window.start)
    ends = window.start + int(window.days * 0.7) * DAY
    while sub.period_end < world.limit:
        if tenant.source_id == LEAVES and sub.period_end > ends:
            sub.cancel_later(sub.period_start + 5 * DAY)
            sub.end(sub.period_end, "cancellation_requested")
            return
        at = sub.renew(fails=chance.hit(0.1))
        if sub.status == "past_due":
            sub.retry(at + 3 * DAY, True)
