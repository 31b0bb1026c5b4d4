"""JSON: alerts from any sender, read by the expressions of its catalog entry."""
