"""HAProxy: drain, weight and shed through the runtime API."""
