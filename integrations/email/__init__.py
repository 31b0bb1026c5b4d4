"""E-mail: alerts from senders that can do nothing but write a mail."""
