"""The truth about rental: equipment, transports, scans, invoices and leads of the rental companies."""
