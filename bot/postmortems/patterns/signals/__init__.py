"""The signals of each pattern, a module for each: what it is about stands in the module's docstring."""

from collections.abc import Mapping

from bot.postmortems.patterns.signal import Signal
from bot.postmortems.patterns.signals import blind, copies, failover, lockout, rollout, scope

SIGNALS: Mapping[str, tuple[Signal, ...]] = {
    "observability-blackout": blind.SIGNALS,
    "operator-command-blast-radius": scope.SIGNALS,
    "harmful-auto-failover": failover.SIGNALS,
    "global-config-rollout": rollout.SIGNALS,
    "lockout-circular-dependency": lockout.SIGNALS,
    "untested-recovery-wrong-target": copies.SIGNALS,
}
