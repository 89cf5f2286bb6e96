"""What a paying client changes while staying: plan, interval, seats, discounts, a pause."""

from __future__ import annotations

from simulator.catalogue import Tenant
from simulator.chance import Chance
from simulator.products.upcoach.fate import Deciding, Fate
from simulator.products.upcoach.prices import STRIPE_PRICES, YEARLY_MONTHS
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, MINUTE, SECOND


def stripe_price(tenant: Tenant, plan: str, interval: str, created: int) -> dict:
    amount = STRIPE_PRICES[plan][tenant.currency] * (YEARLY_MONTHS if interval == "year" else 1)
    mark = f"{plan}{interval}{tenant.currency}"
    return {
        "id": f"price_1{mark}",
        "product": f"prod_{plan}",
        "nickname": f"UpCoach {plan} {interval}ly",
        "currency": tenant.currency,
        "interval": interval,
        "amount": amount,
        "created": created // SECOND,
    }


def change_something(
    walk: Deciding, fate: Fate, chance: Chance, sub: StripeSubscription, until: int
) -> None:
    """At most one change, in a quiet moment of the period and before `until`."""
    begin = max(sub.period_start, sub.touched, walk.window.start) + 1 * DAY
    if until - begin < 3 * DAY:
        return
    at = walk.daytime(fate.person, int(chance.between(begin, until - 2 * DAY)), chance)
    if not begin < at < until - 1 * DAY:
        return
    mood = fate.person.engaged(at, walk.window)
    if sub.quantity > 1 and chance.hit(0.18):
        sub.resize(at, max(1, sub.quantity + chance.pick((-1, 1, 2))))
    elif _swapped(fate, chance, sub, at, mood):
        return
    elif sub.discount is None and chance.hit(0.015):
        sub.grant(at, chance.pick((10, 25, 30)), "forever")
    elif sub.percent_off and chance.hit(0.12):
        sub.withdraw(at)
    elif chance.hit(0.005):
        sub.pause(at)
        sub.resume(at + (until - at) // 2 // SECOND * SECOND)


def _swapped(fate: Fate, chance: Chance, sub: StripeSubscription, at: int, mood: float) -> bool:
    """Another plan or interval; some think again within the hour, which nets to nothing."""
    tenant, old = fate.person.tenant, sub.price
    plan = "premium" if "premium" in old["id"] else "pro"
    rising = 0.03 + 0.02 * max(0.0, mood) if plan == "pro" else 0.03 - 0.02 * min(0.0, mood)
    if chance.hit(rising):
        plan = "premium" if plan == "pro" else "pro"
        sub.swap(at, stripe_price(tenant, plan, old["interval"], sub.created))
        if chance.hit(0.15):
            sub.swap(at + chance.integer(2, 50) * MINUTE, old)
        else:
            fate.person.plan_changes.append((at, plan))
        return True
    if chance.hit(0.012):
        interval = "year" if old["interval"] == "month" else "month"
        sub.swap(at, stripe_price(tenant, plan, interval, sub.created))
        return True
    return False
