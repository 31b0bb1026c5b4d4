"""Mail by SMTP: notices through a relay that is reached over an access path."""
