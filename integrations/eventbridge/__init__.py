"""EventBridge: alerts out of events of AWS Health and CloudWatch."""
