"""What a paying client changes while staying: plan, interval, seats, discounts, a pause, add-ons."""

from __future__ import annotations

from simulator.catalogue import Tenant
from simulator.chance import Chance
from simulator.products.upcoach.fate import Deciding, Fate
from simulator.products.upcoach.prices import ADDON_PRICES, STRIPE_PRICES, YEARLY_MONTHS
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, MINUTE, SECOND


def stripe_price(tenant: Tenant, plan: str, interval: str, created: int) -> dict:
    monthly = (STRIPE_PRICES | ADDON_PRICES)[plan][tenant.currency]
    amount = monthly * (YEARLY_MONTHS if interval == "year" else 1)
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


def addon_prices(tenant: Tenant, plan: str, created: int) -> dict[str, dict]:
    """An add-on by interval: it is billed with the first item."""
    return {name: stripe_price(tenant, plan, name, created) for name in ("month", "year")}


def begin_with_addon(fate: Fate, chance: Chance, sub: StripeSubscription, at: int) -> None:
    """Some have one from the beginning; `chance` is that of add-ons alone."""
    if chance.hit(0.12):
        plan = chance.pick(tuple(ADDON_PRICES))
        prices = addon_prices(fate.person.tenant, plan, at)
        sub.include(prices, chance.integer(1, 2), chance)


def change_addons(
    walk: Deciding, fate: Fate, chance: Chance, sub: StripeSubscription, until: int
) -> None:
    """At most one add-on is taken, given up, exchanged or had more or less of, before `until`."""
    begin = max(sub.period_start, sub.touched, walk.window.start) + 12 * HOUR
    if until - begin < 2 * DAY:
        return
    at = walk.daytime(fate.person, int(chance.between(begin, until - 2 * DAY)), chance)
    if not begin < at < until - 1 * DAY:
        return
    at_once = chance.hit(0.5)
    had = {plan: item for item in sub.further for plan in ADDON_PRICES if plan in item.price["id"]}
    missing = [plan for plan in ADDON_PRICES if plan not in had]
    if missing and chance.hit(0.04 if had else 0.1):
        prices = addon_prices(fate.person.tenant, chance.pick(missing), sub.created)
        sub.add(at, prices, chance.integer(1, 2), chance, at_once)
    elif had and chance.hit(0.5):
        item = had[chance.pick(sorted(had))]
        draw = chance.uniform()
        if draw < 0.35:
            sub.remove(at, item, chance)
        elif draw < 0.6 and missing:
            prices = addon_prices(fate.person.tenant, missing[0], sub.created)
            sub.swap_item(at, item, prices, chance)
        else:
            sub.resize_item(
                at, item, 2 if item.quantity != 2 else chance.pick((1, 3)), chance, at_once
            )


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
        if sub.counts_once:  # what its coupon covers is over with the period that it began with
            return True
        interval = "year" if old["interval"] == "month" else "month"
        sub.swap(at, stripe_price(tenant, plan, interval, sub.created))
        return True
    return False
