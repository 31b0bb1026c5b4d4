"""Chaos Mesh: the experiments that run in a cluster, for the evidence of an incident."""
