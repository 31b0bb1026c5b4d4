"""Postmortems as pages of Confluence."""
