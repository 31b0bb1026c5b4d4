"""Notices as a signed JSON POST to any receiver."""
