"""Notices into an IRC channel or to a nick, over a short visit."""
