"""Rules that compare fields with the solid Earth and with the Sun: longitude, statics, the clock.

The ground leaves its mark on the air (`ground`), which shows how a map is oriented.
"""

from collections.abc import Iterator

import numpy as np

from data.doctor import era5
from data.doctor.balance import COARSEST, geostrophic
from data.doctor.case import Case, Map, area, at_time, correlation, departure, pairs
from data.doctor.finding import Finding
from data.doctor.ground import Evidence, evidence
from data.solar import toa_incident_solar_radiation
from data.wording import hour

TURNS = 8


def longitude(case: Case) -> Iterator[Finding]:
    """Fields lie over their own continents, neither rolled nor mirrored."""
    readings: dict[str, tuple[str, str]] = {}
    for time in case.digest.indices:
        for of_ground in evidence(case, time):
            reading = _better_reading(of_ground)
            if reading is not None:
                readings.setdefault(of_ground.name, (reading, at_time(case.digest, time)))
    for name, (reading, moment) in readings.items():
        weak = name.endswith("mean pressure")
        yield Finding(
            "longitude",
            "warning" if weak else "error",
            f"{name} fits the Earth's continents when {reading}, and not as labelled{moment}",
            "roll the fields or the longitude coordinate: 0 to 360 and -180 to 180 begin at"
            " different meridians",
        )
    yield from _heat(case)


# Correlation of temperature with the poleward geostrophic wind, 700 to 925 hPa, 30° to 70°. Real
# files: 0.24 to 0.50 on any grid and in any season, as one hemisphere always has winter; mirrored,
# the negative.
EQUATORWARDS = -0.15


def _heat(case: Case) -> Iterator[Finding]:
    """Weather carries heat towards the poles; with east and west exchanged, away from them."""
    if 360 / case.digest.longitude.size > COARSEST:
        return
    weights = area(case.digest, 30, 70)
    polewards = np.sign(case.digest.latitude)[:, None]
    for time in case.digest.indices:
        z, t = case.sound("geopotential", time), case.sound("temperature", time)
        carried = []
        for level in z:
            if level is not None and 700 <= level <= 925 and level in t:
                _, v = geostrophic(case, z[level].coarse)
                v = np.where(weights > 0, polewards * v, 0.0)
                carried.append(correlation(departure(v), departure(t[level].coarse), weights))
        if carried and float(np.mean(carried)) < EQUATORWARDS:
            yield Finding(
                "longitude",
                "error",
                f"the weather carries heat away from the poles{at_time(case.digest, time)}"
                f" (correlation {np.mean(carried):.2f}), as with east and west exchanged",
                "turn the fields or the longitude coordinate around; the wind, if there is any, may"
                " need another sign then",
            )
            return


def _better_reading(of_ground: Evidence) -> str | None:
    """The way of turning the map that makes it fit, if it does not fit as labelled."""
    field = departure(of_ground.field)
    reference = departure(of_ground.reference())
    count = field.shape[1]

    def fit(turned: Map) -> float:
        return correlation(turned, reference, of_ground.weights)

    labelled = fit(field)
    readings = {
        f"turned by {360 * turn // TURNS}°": fit(np.roll(field, turn * count // TURNS, axis=1))
        for turn in range(1, TURNS)
    }
    # The pressure of a day resembles that of a season weakly, so only a half turn is tried.
    if of_ground.name.endswith("mean pressure"):
        readings = {k: r for k, r in readings.items() if k == "turned by 180°"}
        enough, most = 0.4, -0.05
    else:
        readings["east and west are exchanged"] = fit(field[:, ::-1])
        enough, most = 0.25, 0.15
    best = max(readings, key=lambda key: readings[key])
    if labelled < most and readings[best] > max(enough, labelled + 0.25):
        return best
    return None


def statics(case: Case) -> Iterator[Finding]:
    """Orography, land and surface pressure are the Earth's, and oriented like the rest."""
    where = (case.digest.latitude, case.digest.longitude)
    weights = area(case.digest, 0, 90)
    height = era5.orography(*where)
    references = {
        "geopotential_at_surface": height,
        "land_sea_mask": era5.land(*where),
        "surface_pressure": -height,  # 0.97
    }
    first = case.digest.indices[0]
    for name, reference in references.items():
        field = case.digest.field(name, first)
        if field is None or field.high == field.low:
            continue
        fits = {
            reading: correlation(turned, reference, weights)
            for reading, turned in _readings(field.coarse).items()
        }
        labelled, best = fits[""], max(fits, key=lambda reading: fits[reading])
        # Real files: 0.955 or more for orography on grids from 0.25° to 10°, 0.93 for masks.
        if labelled < 0.7 and fits[best] > max(0.6, labelled + 0.2):
            yield Finding(
                "statics",
                "error",
                f"{name} is the Earth's with {best}, and not as labelled",
                "put it on the grid of the other fields",
            )
        elif labelled < -0.5 and name == "land_sea_mask":
            yield Finding(
                "statics",
                "error",
                "land_sea_mask is 1 over sea and 0 over land",
                "exchange them: 1 is land",
            )
        elif labelled < (0.85 if name == "geopotential_at_surface" else 0.7):
            yield Finding(
                "statics",
                "warning",
                f"{name} is not the Earth's: correlation {labelled:.2f} with ERA5's",
                "nothing for another planet; for the Earth, take it from the same source as the"
                " fields",
            )


def _readings(field: Map) -> dict[str, Map]:
    """The map as labelled (key "") and turned in every way that happens."""
    count = field.shape[1]
    turns = {
        f"longitude turned by {360 * k // TURNS}°": k * count // TURNS for k in range(1, TURNS)
    }
    return {
        "": field,
        "latitude the other way round": field[::-1],
        "east and west exchanged": field[:, ::-1],
        **{reading: np.roll(field, columns, axis=1) for reading, columns in turns.items()},
        "latitude the other way round and longitude turned by 180°": np.roll(
            field[::-1], count // 2, axis=1
        ),
    }


def sunlight(case: Case) -> Iterator[Finding]:
    """`toa_incident_solar_radiation` is the sunlight of its time and place."""
    name = "toa_incident_solar_radiation"
    for time in case.digest.moments(name):
        field = case.digest.field(name, time)
        if field is None or time is None or field.high == field.low:
            continue
        shifts = {shift: _sunlit(case, field.coarse, time, shift) for shift in range(-12, 12)}
        best = max(shifts, key=lambda shift: shifts[shift])
        if shifts[0] < 0.9:
            hours_off = f": it fits {abs(best)} h {'later' if best > 0 else 'earlier'}"
            yield Finding(
                "sunlight",
                "error",
                f"{name}{at_time(case.digest, time)} is not the sunlight of its time and place"
                + (hours_off if shifts[best] > 0.95 else f" (correlation {shifts[0]:.2f})"),
                "check times (UTC) and longitude, or leave it out, and it is computed",
            )
            return


def _sunlit(case: Case, measured: Map, time: int, shift: int) -> float:
    """Correlation of a field with the sunlight `shift` hours after its time."""
    moment = case.digest.times[time] + np.timedelta64(shift, "h")
    computed = toa_incident_solar_radiation(moment, case.digest.latitude, case.digest.longitude)
    return correlation(measured, computed.astype(np.float64), area(case.digest, 0, 90))


# Local time of the warmest hour: on average over the real files 1.2 h after 14:30, in single pairs
# of frames 1 h before it to 3.4 h after it.
WARMEST = 14.5 + 1.2
LATE_WARNING, LATE_ERROR = 5.0, 7.0  # hours: twice what a real pair of frames shows


def clock(case: Case) -> Iterator[Finding]:
    """Land warms in the morning of its longitude: times are UTC, fields not rolled."""
    for first, second in pairs(case.digest, np.timedelta64(9, "h")):
        change = _warming(case, first, second)
        if change is None:
            continue
        amplitude, late, explained = _daily_wave(case, change, first, second)
        # Real files: 0.54 to 0.83 explained, amplitudes of 1.6 to 7.6 K.
        if amplitude < 1.0 or explained < 0.35 or abs(late) < LATE_WARNING:
            continue
        yield Finding(
            "clock",
            "error" if abs(late) > LATE_ERROR else "warning",
            f"between {hour(case.digest.times[first])} and {hour(case.digest.times[second])} the"
            f" land warms {abs(late):.0f} h {'after' if late > 0 else 'before'} its longitude's"
            " morning",
            f"check that times are UTC and longitudes right ({abs(late):.0f} h are"
            f" {15 * abs(late):.0f}° of longitude)",
        )
        return


def _warming(case: Case, first: int, second: int) -> Map | None:
    """Change of temperature near the ground (K), or None without it."""
    for name in ("2m_temperature", "temperature"):
        before, after = case.sound(name, first), case.sound(name, second)
        near = [x for x in before if x in after and (x is None or x >= 925)]
        if near:
            lowest = max(near, key=lambda level: level or 0)
            return np.asarray(after[lowest].coarse - before[lowest].coarse)
    return None


def _daily_wave(case: Case, change: Map, first: int, second: int) -> tuple[float, float, float]:
    """Amplitude (K), delay (h) and explained variance of the daily cycle of a change over land."""
    digest = case.digest
    land = era5.land(digest.latitude, digest.longitude)
    weights = area(digest, 0, 60) * land
    start = digest.times[first]
    midnight = start.astype("datetime64[D]")
    begin = (start - midnight) / np.timedelta64(1, "h") + digest.longitude / 15 - WARMEST
    end = begin + (digest.times[second] - start) / np.timedelta64(1, "h")
    turn = 2 * np.pi / 24
    columns = [np.cos(turn * end) - np.cos(turn * begin), np.sin(turn * end) - np.sin(turn * begin)]
    ones = np.ones(change.shape)
    design = np.stack([*(np.broadcast_to(c, change.shape) for c in columns), ones], axis=-1)
    root = np.sqrt(weights)
    flat, target = (root[..., None] * design).reshape(-1, 3), (root * change).ravel()
    coefficients = np.linalg.lstsq(flat, target, rcond=None)[0]
    mean = (weights * change).sum() / weights.sum()
    variance = (weights * (change - mean) ** 2).sum()
    residual = ((target - flat @ coefficients) ** 2).sum()
    late = float(np.arctan2(coefficients[1], coefficients[0]) / turn)
    explained = float(1 - residual / variance) if variance > 0 else 0.0
    return float(np.hypot(coefficients[0], coefficients[1])), late, explained
