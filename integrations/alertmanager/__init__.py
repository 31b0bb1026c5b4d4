"""Alertmanager: alerts by webhook."""
