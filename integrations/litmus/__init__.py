"""LitmusChaos: the engines that run in a cluster, for the evidence of an incident."""
