"""The client, written once: the synchronous half is generated from this one."""
