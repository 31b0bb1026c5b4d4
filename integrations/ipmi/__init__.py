"""IPMI: the BMC of an older host, by ipmitool on a jump host in its network."""
