"""The flags of `graphcast score` as a `Request`."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data.time_range import time_range
from data.variables import VARIABLES
from data.wording import hours
from forecast_cli.arguments import duration
from verification.comparing import NO_TEST
from verification.metric import metric_named
from verification.protocols import Protocol, protocol_named
from verification.regions import region_named
from verification.run import BASELINES, Request
from verification.significance import check_tests

SHORT = {row.short_name: row.name for row in VARIABLES.values()}


def request_of(  # noqa: PLR0913  one parameter for each flag
    forecasts: Sequence[str],
    truth: Sequence[str],
    truths: Sequence[str],
    climatology: str | None,
    *,
    baselines: Sequence[str],
    reference: str | None,
    protocol: str,
    metrics: Sequence[str],
    regions: Sequence[str],
    variables: Sequence[str],
    levels: Sequence[str],
    times: str | None,
    lead_times: Sequence[str],
    tests: Sequence[str],
    missing: str,
) -> Request:
    """What the flags ask for, checked.

    Raises:
        ValueError: a flag cannot be read, or names what is not there.
    """
    named = _named(forecasts)
    others = dict(_pair(text, "--truth-for") for text in truths)
    for name in others:
        if name not in named:
            raise ValueError(f"--truth-for names a forecast ({', '.join(named)}), and not {name!r}")
    if missing not in ("refuse", "count"):
        raise ValueError(f"--missing is refuse or count, and not {missing!r}")
    wanted = _baselines(baselines, climatology)
    if reference is not None and reference not in (*named, *wanted):
        raise ValueError(
            f"--reference names a forecast or baseline that is scored "
            f"({', '.join((*named, *wanted))}), and not {reference!r}"
        )
    chosen = [test for test in tests if test != NO_TEST]
    check_tests(chosen)
    return Request(
        named,
        tuple(truth),
        others,
        climatology,
        wanted,
        reference,
        _protocol(protocol, metrics, regions, named, truth, climatology),
        tuple(SHORT.get(name, name) for name in variables) or None,
        tuple(_number(level, "--levels") for level in levels) or None,
        time_range(times) if times else None,
        tuple(hours(duration(text)) for text in lead_times) or None,
        tuple(chosen) or (NO_TEST,),
        "count" if missing == "count" else "refuse",
    )


def _named(forecasts: Sequence[str]) -> dict[str, str]:
    """Name → path; a single forecast without a name is `forecast`, others have their file's."""
    named: dict[str, str] = {}
    for text in forecasts:
        name, path = _pair(text, "--forecast") if _has_name(text) else ("", text)
        if not name:
            name = "forecast" if len(forecasts) == 1 else Path(path.rstrip("/")).stem
        if name in named or name in BASELINES:
            raise ValueError(
                f"forecasts are told apart by their names, and {name!r} comes twice; name them with"
                " --forecast NAME=PATH"
            )
        named[name] = path
    return named


def _has_name(text: str) -> bool:
    """Whether a text begins with NAME=, and is no path or URL with an = in it."""
    name = text.partition("=")[0]
    return "=" in text and "/" not in name and not Path(text).exists()


def _pair(text: str, flag: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if not (name and path):
        raise ValueError(f"{flag} reads NAME=PATH, as hres=hres.zarr, and not {text!r}")
    return name, path


def _baselines(names: Sequence[str], climatology: str | None) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(name for name in names if name != "none"))
    for name in wanted:
        if name not in BASELINES:
            near = difflib.get_close_matches(name, BASELINES, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(
                f"--baseline is {', '.join(BASELINES)} or none, and not {name!r}{hint}"
            )
    if "climatology" in wanted and climatology is None:
        raise ValueError("--baseline climatology needs --climatology C.zarr")
    return wanted


def _protocol(
    name: str,
    metrics: Sequence[str],
    regions: Sequence[str],
    forecasts: dict[str, str],
    truth: Sequence[str],
    climatology: str | None,
) -> Protocol:
    """The protocol with what the flags change, and the names of the files."""
    for metric in metrics:
        metric_named(metric)
    for region in regions:
        region_named(region)
    protocol = protocol_named(name)
    paths = [path if n == "forecast" else f"{n}: {path}" for n, path in forecasts.items()]
    return replace(
        protocol,
        forecast=", ".join(paths),
        truth=", ".join(truth),
        climatology=climatology or "none given",
        metrics=tuple(metrics) or protocol.metrics,
        regions=tuple(regions) or protocol.regions,
    )


def _number(text: str, flag: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{flag} reads numbers, as 500,850, and not {text!r}") from None


def split(text: str | None) -> list[str]:
    """Items with commas between; the values of a metric stay together, as in `brier@280,290`.

    >>> split("rmse,brier@280,290,acc")
    ['rmse', 'brier@280,290', 'acc']
    """
    items: list[str] = []
    for item in filter(None, (part.strip() for part in (text or "").split(","))):
        if items and "@" in items[-1] and re.fullmatch(r"-?[\d.]+(e-?\d+)?", item):
            items[-1] += f",{item}"
        else:
            items.append(item)
    return items
