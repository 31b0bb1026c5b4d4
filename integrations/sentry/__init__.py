"""Sentry: alerts by an internal integration's webhook."""
