"""Each budget as a runnable measurement: `make bench`.

Belongs here: inputs of a known size, references, clocks. Does not belong here: tests; nothing here
passes or fails.
"""
