"""The truth about customers: what they ask the support, and what they answer when they are asked."""
