"""Working on a drafted postmortem: versions, sections, review and its end; nothing people wrote is lost."""
