"""Grafana Alerting: alerts by the webhook of its contact points."""
