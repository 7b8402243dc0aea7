"""In what the manifests of two forecasts differ, in words."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from data.wording import hour, listed


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """In what two manifests differ, in words: `lead time 120 h, not 168 h`."""
    parts = []
    for name, read in _SAID.items():
        was, is_now = read(stored), read(wanted)
        if was != is_now:
            parts.append(f"{name} {was}, not {is_now}")
    versions, others = (manifest.get("versions", {}) for manifest in (stored, wanted))
    parts += [
        f"{name} {versions.get(name)}, not {others.get(name)}"
        for name in sorted({*versions, *others})
        if versions.get(name) != others.get(name)
    ]
    return "; ".join(parts) or "another task, grid or layout"


def _times(manifest: Mapping[str, Any]) -> str:
    times = [np.datetime64(time) for time in manifest["init_times"]]
    return listed(map(hour, times), 4) + (f" ({len(times)} times)" if len(times) > 4 else "")


def _weights(manifest: Mapping[str, Any]) -> str:
    weights = manifest["weights"]
    return f"{weights['description'] or 'undescribed'} ({weights['sha256'][:12]})"


def _statistics(manifest: Mapping[str, Any]) -> str:
    statistics = manifest["statistics"]
    if isinstance(statistics, str):
        return statistics
    return " ".join(digest[:8] for digest in statistics.values())


_SAID: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "inputs": lambda m: listed(m["source"]["inputs"], 3),
    "forcings": lambda m: m["source"]["forcings"] or "computed",
    "init time": _times,
    "members": lambda m: str(len(m["members"])),
    "lead time": lambda m: f"{m['flags']['lead_time_hours']} h",
    "weights": _weights,
    "statistics": _statistics,
    "task": lambda m: str(m["task"]["name"]),
    "precision": lambda m: str(m["flags"]["precision"]),
    "devices": lambda m: str(m["flags"]["devices"]),
    "processes": lambda m: str(m["flags"].get("processes", 1)),
    "deterministic": lambda m: str(m["flags"]["deterministic"]),
    "raw values": lambda m: "kept" if m["flags"].get("raw") else "cut off below zero",
    "Zarr format": lambda m: str(m["flags"].get("zarr_format", 3)),
    "blocks": lambda m: str(m["flags"]["economy"]),
    "device": lambda m: str(m.get("device", "unknown")),
}
