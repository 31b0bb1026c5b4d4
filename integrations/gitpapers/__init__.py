"""Postmortems in a Git repository: a branch and a commit for each, for a review there."""
