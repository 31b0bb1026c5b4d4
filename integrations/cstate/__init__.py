"""cState: a status page that is a Git repository."""
