"""The truth about money: the ledger's, for whatever product billed it."""
