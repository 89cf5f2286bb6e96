"""Product events: a line of any declared shape to a row of raw_events.events.

Belongs here: the row path, which reads one line and knows every rule; in `fast`, the fast path, which
reads many plain lines at once and leaves the others to it. Does not belong here: what events mean
(the models), storing them (`storing`).
"""
