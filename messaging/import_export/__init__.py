"""Importing and exporting conversations, as JSON Lines of one shape."""
