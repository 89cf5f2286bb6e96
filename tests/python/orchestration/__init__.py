"""The Dagster wiring: what is defined, how it is named, when it runs."""
