"""Kubernetes events: what an event exporter sends when something goes wrong in a cluster."""
