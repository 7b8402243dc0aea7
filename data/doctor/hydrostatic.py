"""The rule "hydrostatic": the thickness of a layer follows from the temperature of its air."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from data.constants import DRY_AIR_GAS_CONSTANT, STANDARD_GRAVITY
from data.doctor.balance import THICKEST_LAYER
from data.doctor.case import Case, Map, area, at_levels, at_time, correlation, departure
from data.doctor.digest import Field
from data.doctor.finding import Finding, Worst, worst_by_kind

VIRTUAL = 0.608  # virtual temperature: T (1 + 0.608 q)

# Correlation, in zonal departures, of the temperature from thickness with the one in the file. Real
# files: 0.93 or more; near the ground, where models extrapolate below it, 0.84.
HYDROSTATIC_ERROR, HYDROSTATIC_WARNING = 0.3, 0.6
# Bias of the global mean (K). Real files: 1.3 or less (one layer from 500 to 850 hPa).
BIAS_ERROR, BIAS_WARNING = 8.0, 3.5
# The lowest level against sea-level pressure (m). Real files: 0 at 1000 hPa and 7 at 925 hPa, with
# a correlation of 0.99.
SEA_LEVEL_METRES = 40.0


def hydrostatic(case: Case) -> Iterator[Finding]:
    """Geopotential follows from temperature, layer by layer and from sea-level pressure."""
    worst = worst_by_kind(
        imbalance
        for time in case.digest.indices
        for imbalance in (*_of_layers(case, time), *_of_sea_level(case, time))
    )
    for kind, limit in (("bias", BIAS_ERROR), ("fit", 1 - HYDROSTATIC_ERROR)):
        if kind in worst:
            size, text, levels = worst[kind]
            yield Finding(
                "hydrostatic",
                "error" if size > limit else "warning",
                text + (f"; so{at_levels(levels)}" if len(set(levels)) > 2 else ""),
                "look for a wrong unit, level, time or orientation of one of the two",
            )


def _of_layers(case: Case, time: int | None) -> Iterator[tuple[str, Worst]]:
    """Layers whose thickness has a bias (K), or does not fit (1 - correlation)."""
    z, t = case.sound("geopotential", time), case.sound("temperature", time)
    q = case.sound("specific_humidity", time)
    levels = sorted(level for level in z if level in t and level is not None)
    weights = area(case.digest, 0, 90)
    moment = at_time(case.digest, time)
    for upper, lower in pairwise(levels):
        layer = float(np.log(lower / upper))
        if layer > THICKEST_LAYER:
            continue
        implied = (z[upper].coarse - z[lower].coarse) / (DRY_AIR_GAS_CONSTANT * layer)
        stated = (_virtual(t, q, upper) + _virtual(t, q, lower)) / 2
        bias = float((weights * (implied - stated)).sum() / weights.sum())
        fit = correlation(departure(implied), departure(stated), weights)
        if abs(bias) > BIAS_WARNING:
            text = (
                f"the layer from {lower} to {upper} hPa{moment} has the thickness of air"
                f" {abs(bias):.1f} K {'warmer' if bias > 0 else 'colder'}, against the"
                " temperature given"
            )
            yield "bias", Worst(abs(bias), text, (upper, lower))
        # With hardly any departure from the zonal mean there is nothing to compare.
        if fit < HYDROSTATIC_WARNING and departure(stated).std() > 0.5:
            text = (
                f"geopotential and temperature between {lower} and {upper} hPa{moment} are not"
                f" those of the same air (correlation {fit:.2f})"
            )
            yield "fit", Worst(1 - fit, text, (upper, lower))


def _of_sea_level(case: Case, time: int | None) -> Iterator[tuple[str, Worst]]:
    """The same for the layer between sea level and the lowest level: ΔΦ = R T ln(p₀/p)."""
    z, t = case.sound("geopotential", time), case.sound("temperature", time)
    pressure = case.sound("mean_sea_level_pressure", time).get(None)
    low = max((level for level in z if level in t and level is not None), default=0)
    if pressure is None or low < 925:
        return
    implied = DRY_AIR_GAS_CONSTANT * t[low].coarse * np.log(pressure.coarse / (100.0 * low))
    weights = area(case.digest, 0, 90)
    metres = float((weights * (z[low].coarse - implied)).sum() / weights.sum()) / STANDARD_GRAVITY
    fit = correlation(departure(implied), departure(z[low].coarse), weights)
    text = f"geopotential at {low} hPa and mean_sea_level_pressure{at_time(case.digest, time)}"
    if abs(metres) > SEA_LEVEL_METRES:
        # ranked with the biases of layers: 10 m count as 1 K
        yield "bias", Worst(abs(metres) / 10, f"{text} are {abs(metres):.0f} m apart", (low,))
    if fit < HYDROSTATIC_WARNING and departure(implied).std() > 50:
        message = f"{text} are not those of the same air (correlation {fit:.2f})"
        yield "fit", Worst(1 - fit, message, (low,))


def _virtual(t: dict[int | None, Field], q: dict[int | None, Field], level: int) -> Map:
    """Virtual temperature (K); without humidity, temperature."""
    moisture = VIRTUAL * q[level].coarse if level in q else 0.0
    return np.asarray(t[level].coarse * (1 + moisture))
