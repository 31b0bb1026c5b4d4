"""Atlassian Statuspage: incidents and the state of components, for customers."""
