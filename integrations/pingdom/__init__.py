"""Pingdom: alerts by the webhook of its checks."""
