"""The truth about guards' work: which shifts are filled, and how likely that was."""
