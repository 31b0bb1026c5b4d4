"""What each source is sent: a module for each, named after its integration.

``FIRING`` and ``RESOLVED`` are bodies of one alert's beginning and end, as the vendor sends them;
``sent(body, secret)`` is the request, proven as the vendor proves it. ``SETTINGS`` are those of its
entry in the catalog, where it needs any. Where a vendor never says that an alert is over,
``RESOLVED`` is ``FIRING`` again.
"""
