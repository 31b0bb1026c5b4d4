"""Elastic: alerts of Kibana's rules by its webhook connector."""
