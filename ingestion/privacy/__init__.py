"""Personal data: found, and taken out or replaced by a token before anything is stored.

Belongs here: tokens, judging undeclared keys and free text, user agents and addresses reduced to what
may be kept. Does not belong here: which declared field is personal (the contracts say so).
"""
