"""Horoscopes of every sign and day: written, judged, published, heard; and content that is flagged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from simulator.products.samia_tarot.catalogue import NAME, SIGNS
from simulator.products.samia_tarot.shop import Shop, later
from simulator.timeline import HOUR, MINUTE, epoch_day
from simulator.truth.fulfilment.happened import Decision, Flagged, Horoscope


class Content:
    """The content of one marketplace, day after day: today's editors write for tomorrow."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.chance = shop.world.chance(NAME, shop.tenant, "content")
        self.judge = self.chance.uuid()

    def run(self) -> None:
        shop, chance = self.shop, self.chance
        for index, midnight in shop.open_days():
            if shop.market.has_horoscopes:
                for number, sign in enumerate(SIGNS):
                    if not chance.hit(0.01):  # a sign that is forgotten
                        self._publish(index, midnight + 9 * HOUR + number * 20 * MINUTE, sign)
                self._listen(index)
            for _ in range(shop.many(chance, 0.5)):
                self._flag(shop.moment(chance, index))

    def _publish(self, index: int, at: int, sign: str) -> None:
        shop, chance = self.shop, self.chance
        for_day = shop.days.dates[index] + timedelta(days=1)
        text = Horoscope(shop.tenant, sign, epoch_day(for_day))
        shop.happened.horoscopes.append(text)
        about: dict[str, Any] = {
            "entity_type": "horoscope",
            "entity_id": shop.new_id("horoscope"),
            "zodiac_sign": sign,
            "horoscope_date": for_day.isoformat(),
        }
        editor = chance.pick(shop.readers)
        for _ in range(3):
            at = later(at, chance, 0.5, 15)
            upload = shop.tell("horoscope_uploaded", at, editor, **about)
            if upload is None:
                return
            text.uploads.append(upload)
            at = later(at, chance, 3, 90)
            is_approval = chance.hit(0.88)
            name = "horoscope_approved" if is_approval else "horoscope_rejected"
            event = shop.tell(name, at, self.judge, **about)
            if event is None:
                return
            text.decisions.append(Decision(event, is_approval, [upload]))
            if is_approval:
                break
        else:
            return
        for _ in range(2 if chance.hit(0.02) else 1):
            at = later(at, chance, 30, 500)
            published = shop.tell("horoscope_published", at, editor, **about)
            if published is not None:
                text.published.append(published)

    def _listen(self, index: int) -> None:
        shop, chance = self.shop, self.chance
        for _ in range(shop.many(chance, 2 + 4 * min(shop.world.scale, 2))):
            client = chance.pick(shop.clients)
            share = round(min(1.0, chance.between(0.1, 1.3)), 3)
            shop.tell(
                "horoscope_listened", shop.moment(chance, index), client.user_id, client.country,
                entity_type="horoscope", zodiac_sign=chance.pick(SIGNS), listened_rate=share,
            )  # fmt: skip

    def _flag(self, at: int) -> None:
        shop, chance = self.shop, self.chance
        about: dict[str, Any] = {"entity_type": "content", "entity_id": shop.new_id("content")}
        flags = []
        for _ in range(2 if chance.hit(0.2) else 1):
            client = chance.pick(shop.clients)
            flag = shop.tell("content_flagged", at, client.user_id, client.country, **about)
            if flag is None:
                break
            flags.append(flag)
            at = later(at, chance, 1, 30)
        if not flags:
            return
        flagged = Flagged(shop.tenant, flags)
        shop.happened.flagged.append(flagged)
        if chance.hit(0.1):
            return
        at = later(at, chance, 10, 2000)
        decision = chance.pick(("kept", "removed"))
        flagged.decision = shop.tell(
            "moderation_decision", at, self.judge, decision=decision, **about
        )
        if flagged.decision is not None and chance.hit(0.2):
            at = later(at, chance, 10, 3000)
            author = chance.pick(shop.readers)
            flagged.appeal = shop.tell("appeal_submitted", at, author, **about)
