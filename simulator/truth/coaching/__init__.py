"""The truth about coaching: what each person got done on each day."""
