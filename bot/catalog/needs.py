"""What services stand on, and what stands on them. Pure."""

from bot.catalog.model import Catalog


def needs(catalog: Catalog, service: str) -> list[str]:
    """The services that a service stands on, straight or by others, nearest first."""
    found: list[str] = []
    ring = [service]
    while ring:
        known = [entry for each in ring if (entry := catalog.service(each))]
        ring = [
            below
            for below in dict.fromkeys(n for entry in known for n in entry.depends_on)
            if ":" not in below and below not in found and below != service
        ]
        found += ring
    return found
