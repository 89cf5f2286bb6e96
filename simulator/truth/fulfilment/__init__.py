"""The truth about fulfilment: orders, payments, calls, content and moderation by day."""
