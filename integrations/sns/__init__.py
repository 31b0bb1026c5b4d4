"""Amazon SNS: CloudWatch's alarms and whatever else is published to a topic, over HTTPS."""
