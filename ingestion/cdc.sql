-- Change records of the sources' databases: every change once, the current state per table beside it.

create schema if not exists raw_cdc;
