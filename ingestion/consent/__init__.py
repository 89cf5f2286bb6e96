"""Consent: events of people who refused to be counted are counted as records, and not stored.

Belongs here: who refused when, judging events by it, following an answer that came later than the events. Does not
belong here: what the source said as a table for people (`governance.consents`), erasing (`ingestion.erasing`).
"""
