"""Prometheus: what a metric says now, and graphs for an incident's evidence."""
