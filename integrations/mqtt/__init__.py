"""Notices over MQTT, each acknowledged by the broker."""
