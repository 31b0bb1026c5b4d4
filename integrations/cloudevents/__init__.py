"""CloudEvents: alerts by HTTP, where the sender's types say what fires and what resolves."""
