"""Backups by pgBackRest: how old they are, and whether they can be restored."""
