"""What other systems reach over HTTP, one folder per door: `receiver` takes webhooks and events in.

Belongs here: the doors, and starting them (`python -m serving`). Does not belong here: what a record
means; loading and the models know that.
"""
