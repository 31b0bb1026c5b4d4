"""New Relic: alerts by the webhook of its workflows."""
