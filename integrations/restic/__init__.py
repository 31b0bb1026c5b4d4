"""Backups by restic: how old they are, and whether they can be restored."""
