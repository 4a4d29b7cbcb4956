"""The asynchronous client, from which scripts/client generates the synchronous one."""
