"""PagerDuty: incidents by webhook, version 3."""
