"""What Jackline costs, always beside a floor or a peer measured in the same run."""
