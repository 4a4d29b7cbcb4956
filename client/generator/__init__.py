"""Generates modules of the client.

`models.py` and `operations.py` are generated from the OpenAPI document, `_sync` from
`_async`.
"""
