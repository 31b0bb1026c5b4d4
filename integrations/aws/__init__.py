"""AWS: ECS services, RDS clusters, Route 53 and load balancer weights, over the access path."""
