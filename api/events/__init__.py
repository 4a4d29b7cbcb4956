"""Delivery of live events over HTTP: streams and long polling."""
