"""Envoy: traffic weights, load shedding and fault injections through the admin port."""
