"""PostgreSQL: what a server says of itself, rows counted, and backfills of an allow-list."""
