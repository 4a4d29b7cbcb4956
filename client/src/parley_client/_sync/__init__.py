"""The client, written once: the synchronous half is generated from this one.

Generated from _async/__init__.py by scripts/client; do not edit.
"""
