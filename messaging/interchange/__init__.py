"""Conversations in and out of this installation, as JSON Lines of one shape."""
