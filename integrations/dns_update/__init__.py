"""DNS updates by RFC 2136: switches a record of any name server that takes them, and back."""
