"""Rollbar: alerts by webhook."""
