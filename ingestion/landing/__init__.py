"""Landing files as bytes: which there are, what they are known by, how they are cut into blocks.

Belongs here: listing, hashing, reading, byte ranges that several processes read. Does not belong here:
what a line means, what was loaded before (`storing.ledger`), disks and buckets (`tallyhouse.storage`).
"""
