"""Sample source systems: landing files in the sources' own formats, with the truth beside them.

`write_sample` is the one way in. Nothing of the warehouse is imported here, and the warehouse imports
nothing from here: the truth is only worth something while it is computed apart.
"""

from simulator.sample import SampleReport, describe, write_sample

__all__ = ["SampleReport", "describe", "write_sample"]
