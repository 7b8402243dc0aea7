"""The input doctor: can a forecast start from these fields?

`examine_file` reads a file and judges it, `examine` judges a canonical Dataset, and
`examine_frames` judges two loaded frames of a forecast or a training sample:

    for finding in examine_file("era5.zarr"):
        print(finding.severity, finding.message, finding.remedy)

A rule is a function from a `Case` to findings and a line in `RULES`. No rule stops real weather.
Most rules compare readings of the same numbers: a field that fits the Earth upside down, and not as
labelled, is upside down; a field that fits neither way belongs to another planet.

Read `finding`, `case` and `digest` first, which say what a rule returns and what it sees; `era5` is
the climate to compare with and `balance` the dynamics. Then the rules by family:

- `reading`: can the file be read, and is it a forecast?
- `structure`: grid, times, levels, variables
- `values` (with `exact_zeros`): units, gaps, constants, fill values, repetitions
- `water`: humidity, precipitation, ascent
- `orientation`: statics, longitude, sunlight, the daily cycle
- `climate`: size, hemisphere and season, against ERA5
- `halves`: the seam at the equator
- `sequence`: one frame after another
- `hydrostatic`, `winds` and `order` (of levels): balance

`make_climatology` makes the table of `era5`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from data.doctor import (
    climate,
    halves,
    hydrostatic,
    order,
    orientation,
    sequence,
    structure,
    values,
    water,
    winds,
)
from data.doctor.case import Case, Rule
from data.doctor.digest import Digest, digested
from data.doctor.finding import SEVERITIES, Finding, Severity, exit_code
from data.doctor.reading import examined_entries, opened
from data.stores.kind import simulator
from data.task import Task
from data.wording import listed

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
    "continuity": sequence.continuity,
    "sequence": sequence.sequence,
    "lag": sequence.lag,
    "hydrostatic": hydrostatic.hydrostatic,
    "winds": winds.winds,
    "order": order.order,
}
# Without a sound grid nobody can tell where a field lies, so only labels are examined then.
_FIRST = ("grid",)
_LABELS = ("times", "levels", "variables")


def examine(
    dataset: xr.Dataset, task: Task | None = None, *, every_time: bool = False
) -> list[Finding]:
    """The findings about a canonical Dataset, worst first.

    Args:
        dataset: canonical, except that times and levels may be in any order.
        task: inputs of the task that the Dataset lacks are errors.
        every_time: examine every time of a large Dataset instead of six, which a note mentions.
    """
    broken, others = _by_labels(dataset, task)
    if broken:
        return _sorted([*broken, *others])
    case = Case.of(dataset, task, digested(dataset, every_time=every_time))
    findings = [finding for rule in RULES.values() for finding in rule(case)]
    if simulator(dataset.attrs):
        findings = [_of_a_planet(finding) for finding in findings]
    return _sorted([*findings, *_sampled(dataset, case.digest)])


def faults(dataset: xr.Dataset, task: Task) -> list[Finding]:
    """The errors that the labels of a canonical Dataset show, for a task; no value is read.

    `examine` finds the same ones, and others in the values.
    """
    broken, others = _by_labels(dataset, task)
    return [finding for finding in (*broken, *others) if finding.severity == "error"]


def examine_frames(frames: xr.Dataset, task: Task | None = None) -> list[Finding]:
    """The findings about loaded frames; two of 1° take a second, of 0.25° with 37 levels ten."""
    return examine(frames, task, every_time=True)


def examine_file(
    path_or_url: str | Path,
    task: Task | None = None,
    *,
    every_time: bool = False,
    init_time: np.datetime64 | None = None,
) -> list[Finding]:
    """The findings about a file, a store or a URL; a file that cannot be read is a finding, too.

    Args:
        path_or_url: anything that `data.open_inputs` reads.
        task: as for `examine`.
        every_time: as for `examine`. It also examines every entry of a batch and member of an
            ensemble, instead of the first, one between and the last.
        init_time: init time of files that hold relative times only.
    """
    before, entries = opened(path_or_url, init_time)
    findings = list(before)
    chosen = list(range(len(entries))) if every_time else examined_entries(len(entries))
    for index in chosen:
        of_entry = examine(entries[index], task, every_time=every_time)
        findings += [finding for finding in of_entry if finding not in findings]
    if len(chosen) < len(entries):
        findings.append(
            Finding(
                "sample",
                "note",
                f"examined {len(chosen)} of {len(entries)} entries or members",
                "examine every one (`every_time`)",
            )
        )
    return _sorted(findings)


def refuse(findings: list[Finding]) -> None:
    """Stop a job before it starts on wrong data.

    Raises:
        ValueError: there is an error among the findings; the sentence has the first.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        raise ValueError(
            f"the input does not look right, by the rule {first.rule!r}: {first.message}; "
            f"{first.remedy}{more}"
        )


def _by_labels(dataset: xr.Dataset, task: Task | None) -> tuple[list[Finding], list[Finding]]:
    """Findings about the grid, and about times, levels and variables."""
    labels = Case(dataset, task, _NOTHING, {})
    broken, others = (
        [finding for name in names for finding in RULES[name](labels)]
        for names in (_FIRST, _LABELS)
    )
    return broken, others


# Rules that compare with the Earth's climate, or with how much vapour its air can hold.
_EARTHLY = ("climate", "humidity")


def _of_a_planet(finding: Finding) -> Finding:
    """A warning of an earthly rule becomes a note: the planet may be warmer or moister."""
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
            f" {listed(str(t.astype('datetime64[h]')) for t in digest.times)}",
            "examine every one (`every_time`)",
        )
    ]


def _sorted(findings: list[Finding]) -> list[Finding]:
    """Worst first; rules of `reading` before the others, and these in the order of `RULES`."""
    place = {rule: index for index, rule in enumerate([*RULES, "sample"])}
    return sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), place.get(f.rule, -1)))


__all__ = [
    "RULES",
    "Finding",
    "Severity",
    "examine",
    "examine_file",
    "examine_frames",
    "exit_code",
    "faults",
    "refuse",
]
