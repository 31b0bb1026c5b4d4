"""Redfish: a host's BMC, which still answers when the host does not."""
