"""Unleash: switches a feature off, and on again."""
