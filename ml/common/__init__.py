"""What every model shares: its description, splits, baselines, checks, scores and artefact.

Everything here takes data and returns data. Nothing here knows a database, Dagster or a clock.
"""
