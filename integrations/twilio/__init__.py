"""Notices as text messages and calls, by Twilio's API."""
