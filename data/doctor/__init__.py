"""Can a forecast start from these fields? Rules, each with a severity and a remedy.

``examine_file`` reads a file and judges it, ``examine`` a canonical Dataset, ``examine_frames`` the
two loaded frames of a forecast or a training sample. A rule is a function from a ``Case`` to
findings, in the module of its family, and a line in ``RULES``: ``structure`` (grid, times, levels,
variables), ``values`` (units, gaps, constants, repetitions), ``water`` (humidity, ascent,
precipitation), ``climate`` (size, hemisphere and season by ERA5's climate), ``orientation``
(longitude, statics, the Sun), ``halves`` (the equator), ``frames`` (one after another), ``balance``
(hydrostatic, geostrophic), ``order`` (of levels). ``reading`` looks at a file before its fields are
put in order. ``digest`` is what the rules look at, ``climatology`` what they compare with.

No rule stops real weather. What is told apart are readings of the same numbers: a field that fits
the Earth upside down and does not as labelled is upside down, while one that fits neither way is
some other planet's.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from data.doctor import (
    balance,
    climate,
    frames,
    halves,
    order,
    orientation,
    structure,
    values,
    water,
)
from data.doctor.case import Case, Rule
from data.doctor.digest import Digest, digested
from data.doctor.finding import SEVERITIES, Finding, Severity, exit_code, listed
from data.doctor.reading import examined_entries, opened
from data.stores.kind import kind_of
from data.task import Task

RULES: dict[str, Rule] = {
    "grid": structure.grid,
    "times": structure.times,
    "levels": structure.levels,
    "variables": structure.variables,
    "units": values.units,
    "gaps": values.gaps,
    "constant": values.constant,
    "fills": values.fills,
    "repeated": values.repeated,
    "humidity": water.humidity,
    "precipitation": water.precipitation,
    "ascent": water.ascent,
    "statics": orientation.statics,
    "climate": climate.climate,
    "latitude": climate.latitude,
    "season": climate.season,
    "longitude": orientation.longitude,
    "sunlight": orientation.sunlight,
    "clock": orientation.clock,
    "halves": halves.halves,
    "continuity": frames.continuity,
    "sequence": frames.sequence,
    "lag": frames.lag,
    "hydrostatic": balance.hydrostatic,
    "winds": balance.winds,
    "order": order.order,
}
# Without a sound grid there is no telling where a field lies; nothing else is looked at then.
_FIRST = ("grid",)


def examine(
    dataset: xr.Dataset, task: Task | None = None, *, every_time: bool = False
) -> list[Finding]:
    """What the rules find in a canonical Dataset, worst first.

    With a task, what the task needs and the Dataset lacks is an error. Of long datasets a sample of
    times is read (and a note says so), unless ``every_time``.
    """
    labels = Case(dataset, task, _NOTHING, {})
    if broken := [finding for name in _FIRST for finding in RULES[name](labels)]:
        later = ("times", "levels", "variables")
        return _sorted([*broken, *(f for name in later for f in RULES[name](labels))])
    case = Case.of(dataset, task, digested(dataset, every_time=every_time))
    findings = [finding for rule in RULES.values() for finding in rule(case)]
    if kind_of(dataset.attrs) == "planet":
        findings = [_of_a_planet(finding) for finding in findings]
    return _sorted([*findings, *_sampled(dataset, case.digest)])


def examine_frames(frames: xr.Dataset, task: Task | None = None) -> list[Finding]:
    """The same rules on loaded frames: a second for two of 1°, ten for 0.25° and 37 levels."""
    return examine(frames, task, every_time=True)


def examine_file(
    path_or_url: str | Path,
    task: Task | None = None,
    *,
    every_time: bool = False,
    init_time: np.datetime64 | None = None,
) -> list[Finding]:
    """What the rules find in a file, a store or behind a URL; what cannot be read is a finding.

    Of files with several entries (a batch, an ensemble) the first, one between and the last are
    examined, or each with ``every_time``.
    """
    before, entries = opened(path_or_url, init_time)
    findings = list(before)
    chosen = list(range(len(entries))) if every_time else examined_entries(len(entries))
    for index in chosen:
        found = examine(entries[index], task, every_time=every_time)
        findings += [f for f in found if f not in findings]
    if len(chosen) < len(entries):
        findings.append(
            Finding(
                "sample",
                "note",
                f"examined {len(chosen)} of {len(entries)} entries or members",
                "give --all to examine every one",
            )
        )
    return _sorted(findings)


def refuse(findings: list[Finding]) -> None:
    """Raise ValueError with the errors among the findings, for a job that must not start."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        raise ValueError(
            f"the input does not look right, by the rule {first.rule!r}: {first.message}; "
            f"{first.remedy}{more}"
        )


# Rules that compare with the Earth's climate, or with how its air condenses.
_EARTHLY = ("climate", "humidity")


def _of_a_planet(finding: Finding) -> Finding:
    """A simulated planet says that it is one, and may be warmer or moister than the Earth."""
    if finding.rule not in _EARTHLY or finding.severity != "warning":
        return finding
    remedy = "nothing: a simulated planet has a climate of its own"
    return replace(finding, severity="note", remedy=remedy)


_NOTHING = Digest(np.zeros(1), np.zeros(1), (), {})


def _sampled(dataset: xr.Dataset, digest: Digest) -> list[Finding]:
    count = dataset.sizes.get("time", 0)
    if len(digest.times) >= count:
        return []
    return [
        Finding(
            "sample",
            "note",
            f"examined {len(digest.times)} of {count} times:"
            f" {listed([str(t.astype('datetime64[h]')) for t in digest.times])}",
            "give --all to examine every one",
        )
    ]


def _sorted(findings: list[Finding]) -> list[Finding]:
    order = [*RULES, "sample"]
    return sorted(
        findings,
        key=lambda f: (
            SEVERITIES.index(f.severity),
            order.index(f.rule) if f.rule in order else -1,
        ),
    )


__all__ = [
    "RULES",
    "Finding",
    "Severity",
    "examine",
    "examine_file",
    "examine_frames",
    "exit_code",
    "refuse",
]
