"""Opsgenie: alerts by outgoing webhook."""
