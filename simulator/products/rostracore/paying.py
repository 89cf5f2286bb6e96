"""What RostraCore's companies pay: seats for their guards, through Stripe.

Seats follow the number of guards; one company pays by the year, one stops paying, one leaves.
"""

from __future__ import annotations

from simulator.chance import Chance
from simulator.ledger import Customer, Ledger
from simulator.products.rostracore.company import Company
from simulator.products.rostracore.prices import STRIPE_PRICES, YEARLY_MONTHS
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, SECOND, Window


class Seats:
    """Walks every company's subscription through the window."""

    def __init__(
        self, window: Window, limit: int, account: StripeAccount, ledger: Ledger, seed: int
    ) -> None:
        self.window, self.limit, self.account, self.ledger, self.seed = (
            window,
            limit,
            account,
            ledger,
            seed,
        )

    def run(self, company: Company) -> None:
        chance = Chance(self.seed, "rostracore", "paying", company.tenant.source_id)
        tenant = company.tenant
        customer = Customer(
            "stripe", "rostracore", tenant.source_id, "", f"cus_{self.account.chance.token(14)}"
        )
        self.ledger.opens(customer, company.days)
        start = (company.joined + int(chance.between(1, 4) * HOUR)) // SECOND * SECOND
        owner = {"tenant_id": tenant.source_id}
        yearly = tenant.source_id == "6"
        seats = max(3, sum(1 for g in company.guards if g.hired <= start + DAY))
        sub = StripeSubscription(
            self.account,
            self.ledger,
            customer,
            self._price(company, tenant.plan, yearly, start),
            seats,
            f"billing{tenant.source_id}@example.org",
            tenant.name,
            owner if int(tenant.source_id) % 2 else {},
        )
        sub.introduce(start - 5 * SECOND, owner)
        sub.start(start, 14 if company.joined >= self.window.start else 0)
        if start < self.window.start:
            sub.sleep_until(self.window.start)
        leaves = (
            self.window.start + int(self.window.days * 0.62) * DAY
            if tenant.source_id == "7"
            else None
        )
        broke = (
            self.window.start + int(self.window.days * 0.7) * DAY
            if tenant.source_id == "3"
            else None
        )
        while sub.period_start < self.limit:
            self._adjust(company, chance, sub)
            if leaves is not None and sub.period_end > leaves:
                asked = max(sub.touched + HOUR, max(sub.period_start, self.window.start) + 2 * DAY)
                sub.cancel_later(asked)
                company.left = sub.period_end
                sub.end(sub.period_end, "cancellation_requested")
                return
            if sub.period_end >= self.limit:
                return
            at = sub.renew(fails=bool(broke and sub.period_end > broke))
            if sub.status == "past_due":
                for days in (3, 8, 14):
                    sub.retry(at + days * DAY, False)
                company.left = at + 14 * DAY + HOUR
                sub.end(company.left, "payment_failed")
                return

    def _adjust(self, company: Company, chance: Chance, sub: StripeSubscription) -> None:
        """Seats follow the guards; now and then a plan is exchanged."""
        if sub.status != "active":
            return
        day = company.days.index(max(sub.period_start, self.window.start)) + chance.integer(3, 20)
        if day >= len(company.days.midnights):
            return
        at = int(company.days.midnights[day]) + 10 * HOUR + chance.integer(0, 3600) * SECOND
        if (
            not max(sub.period_start, self.window.start)
            < at
            < min(sub.period_end - DAY, self.limit)
        ):
            return
        seats = max(
            3, sum(1 for g in company.guards if g.hired <= at and (g.gone is None or g.gone > at))
        )
        if seats != sub.quantity:
            sub.resize(at, seats)
        elif chance.hit(0.12) and company.tenant.plan == "starter":
            sub.swap(at, self._price(company, "professional", False, sub.created))
            company.upgraded = company.upgraded or at

    @staticmethod
    def _price(company: Company, plan: str, yearly: bool, created: int) -> dict:
        currency = company.tenant.currency
        amount = STRIPE_PRICES[plan][currency] * (YEARLY_MONTHS if yearly else 1)
        interval = "year" if yearly else "month"
        return {
            "id": f"price_1{plan}{interval}{currency}",
            "product": f"prod_{plan}",
            "nickname": f"RostraCore {plan} {interval}ly",
            "currency": currency,
            "interval": interval,
            "amount": amount,
            "created": created // SECOND,
        }
