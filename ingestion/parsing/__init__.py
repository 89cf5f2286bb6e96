"""Blocks of lines to batches of rows, in several processes.

Belongs here: the interface of a kind of source, finding its code, collecting outcomes, the worker
processes. Does not belong here: any source's own rules, the database.
"""
