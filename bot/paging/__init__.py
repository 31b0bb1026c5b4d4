"""On call and paging: who is on call, whom a page reaches next, and that somebody has it.

Rules are pure; `Paging` changes pages and says so in the incident, `Overrides` who stands in.
"""
