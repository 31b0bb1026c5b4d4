"""Action items as issues of Jira."""
