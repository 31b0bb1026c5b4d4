"""GitHub: failed deployments and workflow runs by webhook."""
