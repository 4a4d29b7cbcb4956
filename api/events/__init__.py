"""Live events as they leave the server: streams, and polls that wait."""
