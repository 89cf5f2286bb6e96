"""What other systems reach over HTTP: the receiver of webhooks and product events.

Belongs here: proving who calls, limits, and writing what was accepted durably into the landing
folder. Does not belong here: what a record means; the loader reads it from the landing folder like
any other file, so a delivery that comes twice is harmless.
"""
