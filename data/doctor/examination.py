"""The rules of the doctor, and examining by all of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from data.doctor import (
    climate,
    contents,
    ground,
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
from data.doctor.digest import Digest, digested, examined_times
from data.doctor.finding import SEVERITIES, Finding
from data.doctor.reading import examined_entries, opened, unreadable
from data.stores.kind import simulator
from data.task import Task
from data.wording import listed

RULES: dict[str, Rule] = {
    "grid": structure.grid,
    "times": structure.times,
    "levels": structure.levels,
    "variables": contents.variables,
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
    "shift": ground.shift,
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
# Without a sound grid and levels nobody can tell where a field lies, so only labels are examined.
_LABELS = ("grid", "levels", "times", "variables")


def examine(
    dataset: xr.Dataset, task: Task | None = None, *, every_time: bool = False
) -> list[Finding]:
    """The findings about a canonical Dataset, worst first.

    Args:
        dataset: canonical, except that times and levels may be in any order.
        task: inputs of the task that the Dataset lacks are errors.
        every_time: examine every time of a large Dataset instead of six, which a note mentions.
    """
    return examine_at(dataset, examined_times(dataset, every_time=every_time), task)


def examine_at(
    dataset: xr.Dataset, chosen: Sequence[int], task: Task | None = None
) -> list[Finding]:
    """As `examine`, with the indices of the times whose fields are examined."""
    with np.errstate(all="ignore"):  # values may be absurd: the rules say so
        return _examined(dataset, chosen, task)


def _examined(dataset: xr.Dataset, chosen: Sequence[int], task: Task | None) -> list[Finding]:
    of_labels = _of_labels(dataset, task)
    if structure.is_nowhere(of_labels):
        return _sorted(of_labels)
    case = Case.of(dataset, task, digested(dataset, chosen))
    of_fields = (rule(case) for name, rule in RULES.items() if name not in _LABELS)
    findings = [*of_labels, *(finding for found in of_fields for finding in found)]
    if simulator(dataset.attrs):
        findings = [_of_a_planet(finding) for finding in findings]
    return _sorted([*findings, *_sampled(dataset, case.digest)])


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
        try:
            of_entry = examine(entries[index], task, every_time=every_time)
        except ValueError as error:  # a field in it is damaged
            of_entry = [unreadable(error)]
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


def faults(dataset: xr.Dataset, task: Task) -> list[Finding]:
    """The errors that the labels of a canonical Dataset show, for a task; no value is read.

    `examine` finds the same ones, and others in the values.
    """
    return [finding for finding in _of_labels(dataset, task) if finding.severity == "error"]


def _of_labels(dataset: xr.Dataset, task: Task | None) -> list[Finding]:
    labels = Case(dataset, task, _NOTHING, {})
    return [finding for name in _LABELS for finding in RULES[name](labels)]


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
