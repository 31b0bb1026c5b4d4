"""HTTP: check a service from outside, call an API."""
