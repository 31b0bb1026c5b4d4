"""The practice platform: a small fintech in real processes on loopback, to lose and to save.

`jackline demo` and game days run against it. It must never import Jackline's own rooms: it is
the patient, and a patient who knows the doctor's plans proves nothing.
"""
