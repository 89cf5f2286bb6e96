"""The fast path of change data: many plain records at once, straight to columns.

Belongs here: speed. Does not belong here: any rule that the row path does not have; a record that asks
for judgement is left to it.
"""
