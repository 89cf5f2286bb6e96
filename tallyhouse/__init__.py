"""tallyhouse."""
