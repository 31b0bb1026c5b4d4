"""Datadog: the alerts of monitors and Synthetics, by its webhook integration."""
