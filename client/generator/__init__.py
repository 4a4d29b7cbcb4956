"""Writes what of the client follows from something else.

`models.py` and `operations.py` follow from the OpenAPI document, `_sync` from `_async`.
"""
