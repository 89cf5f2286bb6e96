"""Webhook events of the payment providers: Stripe and RevenueCat.

Belongs here: what an event of theirs is, whose it is, what of it is personal. Does not belong
here: receiving webhooks over HTTP, the meaning of the events (the models).
"""
