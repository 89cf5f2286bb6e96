"""Whole runs on a fresh embedded database, through the command line a user would type."""
