"""The door for what comes in: webhooks and product events over HTTP, durable before they are answered.

Belongs here: proving who calls, limits, and writing what was accepted into the landing folder. Does
not belong here: what a record means; the loader reads it from the landing folder like any other file,
so a delivery that comes twice is harmless.
"""
