"""The truth about experiments: what was tried on whom, and what each day could show of it."""
