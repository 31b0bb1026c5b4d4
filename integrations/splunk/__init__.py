"""Splunk: alerts of saved searches by webhook."""
