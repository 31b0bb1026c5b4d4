"""PowerDNS: switches a record, and back."""
