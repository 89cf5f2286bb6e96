"""The truth about the productions of studios."""
