"""Postmortems as documents of Google Docs."""
