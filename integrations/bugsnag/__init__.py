"""BugSnag: alerts by webhook."""
