"""Loki: the lines of a service that speak of errors, for the evidence of an incident."""
