"""Redis Sentinel: what the Sentinels see, and a failover that they carry out."""
