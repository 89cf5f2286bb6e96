"""What RentGuy's companies pay for it: one subscription each, through Stripe, with seats that grow."""

from __future__ import annotations

from typing import Any

from simulator.ledger import Customer
from simulator.products.rentguy.catalogue import NAME, PRICES
from simulator.products.rentguy.depot import Depot
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, SECOND


def subscribe(depot: Depot, account: StripeAccount) -> None:
    """A company's subscription from its first day to the sample's end."""
    world, tenant = depot.world, depot.company.tenant
    chance = world.chance(NAME, depot.tenant, "paying")
    customer = Customer("stripe", NAME, depot.tenant, "", f"cus_{account.chance.token(14)}")
    world.ledger.opens(customer, depot.days)
    start = (depot.joined + int(chance.between(1, 4) * HOUR)) // SECOND * SECOND
    seats = len(depot.workers)
    owner = {"tenant_id": depot.tenant}
    sub = StripeSubscription(
        account, world.ledger, customer, _price(tenant.plan, tenant.currency, start), seats,
        f"billing.{depot.tenant}@example.org", tenant.name, owner,
    )  # fmt: skip
    sub.introduce(start - 5 * SECOND, owner)
    sub.start(start, 14 if depot.joined >= world.window.start else 0)
    if start < world.window.start:
        sub.sleep_until(world.window.start)
    while sub.period_end < world.limit:
        at = max(sub.period_start, world.window.start) + 5 * DAY + chance.integer(0, 9) * HOUR
        if sub.status == "active" and at < sub.period_end - DAY and chance.hit(0.4):
            seats += 1
            sub.resize(at // SECOND * SECOND, seats)
        fails = chance.hit(0.12)
        at = sub.renew(fails=fails)
        if fails:
            sub.retry(at + 3 * DAY, True)


def _price(plan: str, currency: str, created: int) -> dict[str, Any]:
    return {
        "id": f"price_1{plan}month{currency}",
        "product": f"prod_{plan}",
        "nickname": f"RentGuy {plan} monthly",
        "currency": currency,
        "interval": "month",
        "amount": PRICES[plan][currency],
        "created": created // SECOND,
    }
