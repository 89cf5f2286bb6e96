"""What a person starts: the command line, the pipeline behind it, its summary and the project's checks.

Belongs here: the order of steps, what is said about them. Does not belong here: any work itself; all
that is below imports nothing of this.
"""
