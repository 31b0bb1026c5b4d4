"""Programs on hosts, of an allow-list and with typed arguments. No shell."""
