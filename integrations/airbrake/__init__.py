"""Airbrake: alerts by webhook."""
