"""What RentGuy's companies pay for it: one subscription each, through Stripe.

Its items are seats, which grow in number, scanners for a while, and text messages as they are sent.
"""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.ledger import Customer
from simulator.products.rentguy.catalogue import MESSAGE_PRICES, NAME, PRICES, SCANNER_PRICES
from simulator.products.rentguy.depot import Depot
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, SECOND


def subscribe(depot: Depot, account: StripeAccount) -> None:
    """A company's subscription from its first day to the sample's end."""
    world, tenant = depot.world, depot.company.tenant
    chance = world.chance(NAME, depot.tenant, "paying")
    items = world.chance(NAME, depot.tenant, "items")
    customer = Customer("stripe", NAME, depot.tenant, "", f"cus_{account.chance.token(14)}")
    world.ledger.opens(customer, depot.days)
    start = (depot.joined + int(chance.between(1, 4) * HOUR)) // SECOND * SECOND
    seats = len(depot.workers)
    owner = {"tenant_id": depot.tenant}
    sub = StripeSubscription(
        account, world.ledger, customer, _price(tenant.plan, tenant.currency, start), seats,
        f"billing.{depot.tenant}@example.org", tenant.name, owner,
    )  # fmt: skip
    scanner = _price("scanner", tenant.currency, start)
    if tenant.plan == "team":
        sub.include({"month": scanner}, items.integer(1, 2), items)
    message = _price("message", tenant.currency, start) | {"usage_type": "metered"}
    messages = sub.include({"month": message}, 1, items)
    sub.introduce(start - 5 * SECOND, owner)
    sub.start(start, 14 if depot.joined >= world.window.start else 0)
    if start < world.window.start:
        sub.sleep_until(world.window.start)
    while sub.period_end < world.limit:
        at = max(sub.period_start, world.window.start) + 5 * DAY + chance.integer(0, 9) * HOUR
        if sub.status == "active" and at < sub.period_end - DAY and chance.hit(0.4):
            seats += 1
            sub.resize(at // SECOND * SECOND, seats)
        if sub.status == "active":
            _change_scanners(items, sub, scanner, max(at, sub.touched))
            messages.used = items.integer(20, 400)
        fails = chance.hit(0.12)
        at = sub.renew(fails=fails)
        if fails:
            sub.retry(at + 3 * DAY, True)


def _change_scanners(
    chance: Chance, sub: StripeSubscription, price: dict[str, Any], after: int
) -> None:
    """Some days after another change scanners are taken, given back, or another number of them is had."""
    at = after // SECOND * SECOND + 2 * DAY + chance.integer(0, 9) * HOUR
    if at > sub.period_end - DAY:
        return
    had = next((item for item in sub.further if item.price is price), None)
    if had is None and chance.hit(0.6):
        sub.add(at, {"month": price}, chance.integer(1, 2), chance, at_once=chance.hit(0.5))
    elif had is not None and chance.hit(0.3):
        sub.remove(at, had, chance)
    elif had is not None and chance.hit(0.5):
        sub.resize_item(at, had, 3 - had.quantity, chance, at_once=chance.hit(0.5))


def _price(plan: str, currency: str, created: int) -> dict[str, Any]:
    amounts = PRICES | {"scanner": SCANNER_PRICES, "message": MESSAGE_PRICES}
    return {
        "id": f"price_1{plan}month{currency}",
        "product": f"prod_{plan}",
        "nickname": f"RentGuy {plan} monthly",
        "currency": currency,
        "interval": "month",
        "amount": amounts[plan][currency],
        "created": created // SECOND,
    }
