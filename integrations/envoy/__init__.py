"""Envoy: traffic weights and load shedding through the admin port."""
