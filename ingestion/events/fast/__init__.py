"""The fast path of events: many plain lines at once, straight to columns.

Belongs here: speed. Does not belong here: any rule that the row path does not have; a line that asks
for judgement is left to it. What it is worth: a plain line takes a quarter of the CPU that the row
path takes (27 µs beside 107: 147,000 benchmark lines in one process on a busy machine).
"""
