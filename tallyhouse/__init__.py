"""The ground that everything else stands on: settings, errors, database, storage, dbt's launcher.

Belongs here: what loading, training, serving and the command line all need. Does not belong here:
anything that knows one of them; this package imports nothing of the rest of the project.
"""
