"""One folder per concern; each module's definitions are found and loaded by `definitions.py`."""
