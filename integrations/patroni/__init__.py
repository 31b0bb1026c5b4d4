"""Patroni: what each member says for itself, a switchover, and a failover to a named member."""
