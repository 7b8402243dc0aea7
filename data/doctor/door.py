"""The doctor at a door: a sample of times is examined, and an error stops the job.

Every command that takes weather in has such a door. Examining takes a second for each frame of 1°
and five for one of 0.25° with 37 levels, so a few times stand for all, and the result says which.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from data.doctor.examination import examine_at
from data.doctor.finding import SEVERITIES, Finding
from data.task import Task
from data.wording import hour

SAMPLED_BYTES = 2e9  # of the sample: of larger frames a single pair is examined
PAIRS = 3  # of successive times: at the start, in the middle, at the end


class Examination(NamedTuple):
    """What the doctor looked at, and what it found.

    Attributes:
        times: the examined times.
        of: how many times there are.
        findings: errors and warnings, worst first.
    """

    times: tuple[np.datetime64, ...]
    of: int
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """One line: how much was examined, and how much was found.

        >>> str(Examination((np.datetime64("2024-06-03T06"),), 8, ()))
        'examined 1 of 8 times, nothing found'
        """
        counts = {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}
        found = [f"{n} {s}{'s' * (n > 1)}" for s, n in counts.items() if n]
        examined = f"examined {len(self.times)} of {self.of} times" if self.of else "examined"
        return f"{examined}, {' and '.join(found) or 'nothing'} found"

    def to_dict(self) -> dict[str, Any]:
        """What a store records of it, for JSON."""
        findings = [
            {"severity": f.severity, "rule": f.rule, "message": f.message} for f in self.findings
        ]
        return {"times": [hour(time) for time in self.times], "findings": findings}


def examined(
    dataset: xr.Dataset,
    role: str,
    *,
    names: Collection[str] | None = None,
    task: Task | None = None,
    force: bool = False,
) -> Examination:
    """Examine a sample of the times of a canonical Dataset, and stop at an error.

    Args:
        dataset: as for `examine`.
        role: how the error names it: "the truth".
        names: only these variables, as far as they are there; None for all.
        task: inputs of the task that the Dataset lacks are errors.
        force: return errors like other findings.

    Raises:
        ValueError: there is an error among the findings, and `force` is false.
    """
    if names is not None:
        dataset = dataset[[name for name in names if name in dataset]]
    chosen = sampled(dataset)
    findings = examine_at(dataset, chosen, task)
    refuse(findings, role, force=force)
    times = tuple(dataset["time"].values[i] for i in chosen) if chosen else ()
    return Examination(times, dataset.sizes.get("time", 0), telling(findings))


def telling(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings that are not notes."""
    return tuple(finding for finding in findings if finding.severity != "note")


def sampled(dataset: xr.Dataset) -> list[int]:
    """Indices of the times of a Dataset to examine; see `sample_of`."""
    count = dataset.sizes.get("time", 0)
    return sample_of(count, dataset.nbytes / max(count, 1))


def sample_of(count: int, frame_bytes: int | float = 0) -> list[int]:
    """Indices of the times to examine: pairs at the start, in the middle and at the end.

    >>> sample_of(10), sample_of(10, frame_bytes=1e9)
    ([0, 1, 4, 5, 8, 9], [0, 1])
    """
    pairs = int(np.clip(SAMPLED_BYTES / max(2 * frame_bytes, 1), 1, PAIRS))
    starts = np.linspace(0, max(count - 2, 0), pairs).astype(int).tolist() if count else []
    return sorted({i for start in starts for i in (start, min(start + 1, count - 1))})


def refuse(findings: list[Finding], role: str = "the input", *, force: bool = False) -> None:
    """Stop a job on wrong data, unless it is forced.

    Raises:
        ValueError: there is an error among the findings; the sentence has the first.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors or force:
        return
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise ValueError(
        f"{role} does not look right, by the rule {first.rule!r}: {first.message}{more};"
        f" {first.remedy}, or go on all the same (`force`)"
    )
