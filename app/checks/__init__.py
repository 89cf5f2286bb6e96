"""What keeps the house in order, as commands: `make lint` and `make test` call these.

Belongs here: rules about the project's own files. Does not belong here: anything a run needs.
"""
