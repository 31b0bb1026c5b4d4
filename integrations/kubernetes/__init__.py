"""Kubernetes: what a Deployment is at, back to an earlier revision, more or fewer replicas."""
