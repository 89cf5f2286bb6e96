"""The fast path of events: many plain lines at once, straight to columns.

Belongs here: speed. Does not belong here: any rule that the row path does not have; a line that asks
for judgement is left to it.
"""
