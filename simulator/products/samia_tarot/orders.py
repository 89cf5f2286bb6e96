"""Orders from the client's wish to the reading: assigned, written, judged, written again, delivered."""

from __future__ import annotations

from simulator.chance import Chance
from simulator.products.samia_tarot.catalogue import CHANNELS, NAME, SERVICES
from simulator.products.samia_tarot.payments import Payments
from simulator.products.samia_tarot.shop import Client, Shop, later
from simulator.truth.fulfilment.happened import Attempt, Decision, Order

MOST_REJECTIONS = 4


class Orders:
    """The orders of one marketplace, day after day."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.chance = shop.world.chance(NAME, shop.tenant, "orders")
        self.payments = Payments(shop, shop.world.chance(NAME, shop.tenant, "payments"))

    def run(self) -> None:
        shop, chance = self.shop, self.chance
        size = shop.market.tenant.size * shop.world.scale
        for index, _ in shop.open_days():
            for _ in range(shop.many(chance, max(0.7, size) * shop.busy(index))):
                self._live(shop.moment(chance, index), chance.pick(shop.clients))

    def _live(self, at: int, client: Client) -> None:
        shop, chance = self.shop, self.chance
        number, service = shop.new_id("order"), _service(chance)
        created = shop.tell(
            "order_created", at, client.user_id, client.country, entity_type="order",
            entity_id=number, status="new", service_code=service, is_gold=client.is_gold,
        )  # fmt: skip
        if created is None:
            return
        order = Order(shop.tenant, service, client.country, created)
        shop.happened.orders.append(order)
        paid = self.payments.pay(number, service, client, at)
        if paid is None:
            if chance.hit(0.8):
                self._cancel(order, number, client, later(at, chance, 60, 600))
            return
        at, attempt = paid
        self._fulfil(order, number, client, at, attempt)

    def _fulfil(self, order: Order, number: int, client: Client, at: int, paid: Attempt) -> None:
        chance = self.chance
        reader = ""
        for _ in range(3 if chance.hit(0.02) else 2 if chance.hit(0.08) else 1):
            at, reader = later(at, chance, 2, 240), chance.pick(self.shop.readers)
            event = self._step("order_assigned", number, client, at, reader_id=reader)
            if event is None:
                return
            order.assigned.append((event, reader))
        if chance.hit(0.04):
            at = later(at, chance, 30, 600)
            self._cancel(order, number, client, at)
            self.payments.give_back(number, client, paid, later(at, chance, 5, 60))
            return
        at = self._write(order, number, client, at, reader)
        if not at:
            return
        at = later(at, chance, 1, 30)
        order.completed = self._step("order_completed", number, client, at)
        if order.completed is None:
            return
        self._notify(client, later(at, chance, 1, 3))
        if chance.hit(0.02):
            at = later(at, chance, 600, 6000)
            self.payments.give_back(number, client, paid, at)
            if chance.hit(0.2):  # the support closes a delivered order so
                self._cancel(order, number, client, later(at, chance, 1, 5))

    def _write(self, order: Order, number: int, client: Client, at: int, reader: str) -> int:
        """Submissions until one is approved; when that was, or 0 when it was not."""
        chance = self.chance
        for _ in range(MOST_REJECTIONS + 1):
            at = later(at, chance, 20, 900)
            submitted = self._step("order_submitted", number, client, at, reader_id=reader)
            if submitted is None:
                return 0
            at = later(at, chance, 5, 400)
            is_approval = chance.hit(0.8)
            name = "order_approved" if is_approval else "order_rejected"
            event = self._step(name, number, client, at)
            if event is None:
                return 0
            order.decisions.append((Decision(event, is_approval, [submitted]), reader))
            if is_approval:
                return at
        return 0

    def _step(self, name: str, number: int, client: Client, at: int, **more: object):  # type: ignore[no-untyped-def]
        """What follows the creation names the order alone, sometimes with the client's country."""
        country = client.country if self.chance.hit(0.5) else ""
        return self.shop.tell(
            name, at, client.user_id, country, entity_type="order", entity_id=number, **more
        )

    def _cancel(self, order: Order, number: int, client: Client, at: int) -> None:
        order.cancelled = self._step("order_cancelled", number, client, at)

    def _notify(self, client: Client, at: int) -> None:
        shop, chance = self.shop, self.chance
        about = {"entity_type": "notification", "entity_id": shop.new_id("notification")}
        about["channel"] = chance.pick(CHANNELS)
        shop.tell("notification_sent", at, client.user_id, client.country, **about)
        if not chance.hit(0.93):
            return
        at = later(at, chance, 0.5, 2)
        shop.tell("notification_delivered", at, client.user_id, client.country, **about)
        if chance.hit(0.4):
            at = later(at, chance, 1, 300)
            shop.tell("notification_opened", at, client.user_id, client.country, **about)
        elif chance.hit(0.02):
            at = later(at, chance, 1, 300)
            shop.tell("notification_opted_out", at, client.user_id, client.country, **about)


def _service(chance: Chance) -> str:
    draw = chance.uniform()
    for service, (share, _) in SERVICES.items():
        if draw < share:
            return service
        draw -= share
    return service
