"""Access paths: named ways to open a connection to a target."""

from bot.access.dialer import Dialer, Link
from bot.access.probes import Prober
from bot.access.proof import CredentialState, PathProof, credentials

__all__ = ["CredentialState", "Dialer", "Link", "PathProof", "Prober", "credentials"]
