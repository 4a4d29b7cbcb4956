"""The asynchronous client, from which scripts/client generates the synchronous one.

Generated from _async/__init__.py by scripts/client; do not edit.
"""
