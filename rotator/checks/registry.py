"""Every check on one screen, and running them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rotator.checks import (
    backups,
    dates,
    dependence,
    facts,
    fitting,
    floors,
    issuing,
    maintenance,
    pins,
    sightings,
    spread,
    stuck,
)
from rotator.checks.base import Subject
from rotator.model.findings import Finding, worst_first
from rotator.model.progress import heed

CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    pins.breaks_today,
    backups.no_usable_backup,
    backups.primary_not_served,
    backups.gone_but_shipped,
    issuing.gone_key_served,
    backups.stale_proof,
    backups.single_pin,
    dates.pins_expire,
    dates.certificate_ends,
    dates.certificate_pins,
    dates.old_numbers,
    sightings.remembered,
    stuck.stuck_clients,
    floors.rescue_lines,
    spread.nothing_to_fit,
    spread.curve_contradicted,
    facts.of_the_world,
    maintenance.of_maintenance,
    dependence.of_dependence,
    pins.unknown_pins,
    pins.junk_keys,
    pins.not_ours,
    fitting.misplaced_pins,
    fitting.key_types,
    pins.export_drift,
    pins.files_read,
)


def run(subject: Subject) -> tuple[Finding, ...]:
    """Run every check; findings that the policy allows are left out, the others come worst first."""
    found: list[Finding] = []
    for number, check in enumerate(CHECKS):
        heed("checking", number, len(CHECKS))
        found += check(subject)
    return worst_first(pins.without_allowed(subject, iter(found)))
