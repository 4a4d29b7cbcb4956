"""Optional: divides the large tables by conversation. Installed by PARLEY_PARTITIONS."""
