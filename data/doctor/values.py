"""Rules on numbers, field by field: units, gaps, constants, repetitions."""

from collections.abc import Iterator

import numpy as np

from data.canonical.precipitation import NAMES_WITHOUT_PERIOD
from data.doctor.case import Case, at_levels, at_time, hour, pairs
from data.doctor.digest import NEVER_ZERO, Field
from data.doctor.exact_zeros import Zeros
from data.doctor.finding import Finding, listed
from data.stores.analyses.header import is_repeated
from data.variables import VARIABLES, plausible_values

# Given over sea or over land only, or nowhere else than where there is some.
MASKED = ("sea_surface_temperature", "sea_ice_cover", "snow_depth")
MASKED_WORDS = ("soil", "lake", "vegetation", "wave", "ice")
# Fields that hold still for hours, or hold nothing on many levels.
SLOW = (*MASKED, "land_sea_mask")
OFTEN_NOTHING = (
    *("specific_cloud_liquid_water_content", "specific_cloud_ice_water_content"),
    *("fraction_of_cloud_cover", "vertical_velocity", "relative_humidity", "specific_humidity"),
    *("convective_available_potential_energy", "ozone_mass_mixing_ratio"),
)
_TROPOSPHERE = range(400, 1100)
NEVER_NOTHING = dict.fromkeys(
    ("vertical_velocity", "relative_humidity", "specific_humidity"), _TROPOSPHERE
)


def units(case: Case) -> Iterator[Finding]:
    """Means and extremes that the catalogue's unit allows; one finding for each variable."""
    told: dict[str, tuple[str, list[int | None]]] = {}
    extreme: dict[str, tuple[str, list[int | None]]] = {}
    for (name, time, level), field in case.digest.fields.items():
        if name not in VARIABLES or field.empty:
            continue
        complaint = case.complaints.get((name, time, level))
        if complaint:
            told.setdefault(name, (complaint, []))[1].append(level)
        elif (far := _extreme(name, level, field)) is not None:
            extreme.setdefault(name, (far, []))[1].append(level)
    for complaint, where in told.values():
        sentence, _, remedy = complaint.rpartition("; ")
        more = len(set(where)) - 1
        yield Finding(
            "units",
            "error",
            sentence + (f" (and alike on {more} more levels)" if more > 0 else ""),
            remedy,
        )
    for name, (far, _) in extreme.items():
        if name not in told:
            yield Finding("units", "warning", far, "look for fill values, damage or a wrong unit")


def _extreme(name: str, level: int | None, field: Field) -> str | None:
    low, high = plausible_values(name, level)
    if name == "specific_humidity" and level is not None and level < 50:
        high = max(high, 1e-3)
    if low <= field.low and field.high <= high:
        return None
    unit = VARIABLES[name].units
    return (
        f"{name}{at_levels([level])} runs from {field.low:.4g} to {field.high:.4g} {unit}, and"
        f" weather stays between {low:.4g} and {high:.4g}"
    )


def gaps(case: Case) -> Iterator[Finding]:
    """Missing values, where the variable has a value everywhere."""
    holes: dict[str, list[tuple[int | None, int | None, Field]]] = {}
    empty: dict[str, dict[int | None, list[int | None]]] = {}
    for (name, time, level), field in case.digest.fields.items():
        if field.whole or _masked(name):
            continue
        if field.empty:
            empty.setdefault(name, {}).setdefault(level, []).append(time)
        else:
            holes.setdefault(name, []).append((time, level, field))
    for name, where in empty.items():
        yield from _empty(case, name, where)
    for name, places in holes.items():
        time, level, field = places[0]
        row, column = field.first_gap or (0, 0)
        latitude = float(case.dataset["latitude"].values[row])
        longitude = float(case.dataset["longitude"].values[column])
        count = len(places)
        yield Finding(
            "gaps",
            "error",
            f"{name} has holes in {count} field(s); the first, {field.gaps} of {field.size} points"
            f"{at_levels([level])}{at_time(case.digest, time)}, begins at latitude {latitude:g},"
            f" longitude {longitude:g}",
            "fetch the file again, or fill the holes from another analysis",
        )


def _empty(case: Case, name: str, where: dict[int | None, list[int | None]]) -> Iterator[Finding]:
    always = len(case.digest.moments(name))
    never = [level for level, at in where.items() if len(at) == always]
    sometimes = [(level, at) for level, at in where.items() if len(at) < always]
    task = case.task
    needed = task is not None and name in task.inputs
    if never:
        wanted = [level for level in never if needed and (level is None or level in task.levels)]  # type: ignore[union-attr]  # needed implies a task
        yield Finding(
            "gaps",
            "error" if wanted else "note",
            f"{name} has no values at all{at_levels(never)}",
            "add these fields" if wanted else "nothing, unless a model needs these levels",
        )
    if sometimes:
        _, at = sometimes[0]
        when = [hour(case.digest.times[time]) for time in at if time is not None]
        yield Finding(
            "gaps",
            "error",
            f"{name} has no values{at_levels([x for x, _ in sometimes])} at {listed(when)}",
            "fetch these times again",
        )


def _masked(name: str) -> bool:
    if name in MASKED:
        return True
    words = name.split("_")
    return any(word in words for word in MASKED_WORDS)


def constant(case: Case) -> Iterator[Finding]:
    """Fields that have one value everywhere, or zeros where a chunk is missing."""
    flat: dict[str, list[int | None]] = {}
    zero: dict[str, list[int | None]] = {}
    for (name, _, level), field in case.digest.fields.items():
        if field.empty or name in MASKED:
            continue
        nothing = name in OFTEN_NOTHING and (field.low == 0 or level is None or level < 300)
        if field.high == field.low and (not nothing or level in NEVER_NOTHING.get(name, ())):
            flat.setdefault(name, []).append(level)
        elif field.zeros > _zeros_allowed(name, level):
            zero.setdefault(name, []).append(level)
    for name, where in flat.items():
        static = name in VARIABLES and VARIABLES[name].kind == "static"
        value = next(
            f.low for (n, _, x), f in case.digest.fields.items() if (n, x) == (name, where[0])
        )
        yield Finding(
            "constant",
            "warning" if static else "error",
            f"{name} is the same everywhere{at_levels(where)} ({value:.4g})",
            "nothing, if the planet is meant to be like this"
            if static
            else "fetch the file again: a chunk or message is missing",
        )
    for name, where in zero.items():
        yield Finding(
            "constant",
            "error",
            f"{name} is exactly 0 in large parts{at_levels(where)}",
            "fetch the file again: chunks are missing, and read as zeros",
        )


def _zeros_allowed(name: str, level: int | None) -> float:
    """Fraction of points that may be exactly 0."""
    if name not in VARIABLES:
        return 1.0
    if VARIABLES[name].bounds[0] > 0:  # K and Pa never are
        return 0.0
    # Packing rounds winds to 0.1 m/s at worst, and one point in a hundred is 0 by that.
    if name.endswith("component_of_wind"):
        return 0.05
    # Negative relative humidity is clipped, but not on a fifth of the globe below 400 hPa.
    if name in NEVER_NOTHING and level in NEVER_NOTHING[name]:
        return 0.2
    return 1.0


# Zeros of a real packed wind, over those expected and 1: 461 of 384 and 39 of 40, and where there
# are a few only, 2.7 (3 on a regridded one).
CROWD = 4
# Unpacked, a zero is a fill value unless made by sums of packed values that cancel out: one or two
# on a map, 0.03 ranges outside of those around at the most.
PACKED, STANDING_OUT, PATCH = 0.2, 0.3, 3
# Where packing makes zeros, but few, no real zero has more than two others around it.
FEW, BLOCK = 3e-3, 8
# Specific humidity is 0 where negative values were clipped: 1.1 ranges outside, and next to 0.7 of
# the mean of the level at the most.
HUMID_OUTSIDE, HUMID_PART, LOWEST_HUMID = 1.5, 0.9, 400


def fills(case: Case) -> Iterator[Finding]:
    """No gaps that were filled with 0, in winds and humidity."""
    for name in NEVER_ZERO:
        found = {
            key: f.exact for key, f in case.digest.fields.items() if key[0] == name and f.exact
        }
        number = sum(zeros.number for zeros in found.values())
        expected = sum(zeros.expected for zeros in found.values())
        if name.endswith("component_of_wind") and number > CROWD * (expected + 1):
            yield Finding(
                "fills",
                "error",
                f"{name} is exactly 0 at {number} points{at_levels(x for _, _, x in found)}, and by"
                f" the rounding of its values at {expected:.1g}",
                "fetch the file again, or fill the holes: missing values were written as 0",
            )
            continue
        for (_, time, level), zeros in found.items():
            if _stands_out(name, level, zeros, case.digest.fields[name, time, level]):
                where = case.dataset["latitude"].values[zeros.row]
                along = case.dataset["longitude"].values[zeros.column]
                yield Finding(
                    "fills",
                    "warning",
                    f"{name}{at_levels([level])}{at_time(case.digest, time)} is exactly 0 at"
                    f" latitude {where:g}, longitude {along:g}, and nowhere near it around",
                    "look for a missing value that was written as 0, and fill it",
                )
                break


def _stands_out(name: str, level: int | None, zeros: Zeros, field: Field) -> bool:
    if name == "specific_humidity":
        humid = level is not None and level >= LOWEST_HUMID and zeros.outside > HUMID_OUTSIDE
        return humid and zeros.least > HUMID_PART * field.mean
    if zeros.expected < PACKED:
        return zeros.outside > STANDING_OUT or zeros.beside >= PATCH
    return zeros.expected < FEW * field.size and zeros.beside == BLOCK


# Root-mean-square change from one frame to the next as a part of the spread over the globe: 0.01 in
# an hour, 0.05 and more in six; the rounding of a packed file is 1e-5 to 1e-4.
STILL = 1e-3
RESTLESS = ("temperature", "u_component_of_wind", "v_component_of_wind", "2m_temperature")


def _standing_still(case: Case) -> Iterator[Finding]:
    """Frames that differ by rounding only, as copies do that were packed anew."""
    for first, second in pairs(case.digest, np.timedelta64(24, "h")):
        still = []
        for name in RESTLESS:
            before, after = case.sound(name, first), case.sound(name, second)
            moved = [
                float(np.sqrt(np.mean((after[x].coarse - before[x].coarse) ** 2)))
                / max(before[x].deviation, 1e-9)
                for x in before
                if x in after and (x is None or x >= 100)
            ]
            if moved and 0 < max(moved) < STILL:
                still.append(name)
        if still:
            both = f"{hour(case.digest.times[first])} and {hour(case.digest.times[second])}"
            yield Finding(
                "repeated",
                "error",
                f"{listed(still)} hardly differ between {both}: a copy, but for rounding",
                "fetch the later frame again: one was written twice",
            )
            return


def repeated(case: Case) -> Iterator[Finding]:
    """The same field at two times, or on two levels."""
    yield from _standing_still(case)
    seen: dict[tuple[str, bytes], tuple[int | None, int | None]] = {}
    times_alike: dict[str, set[str]] = {}
    levels_alike: dict[str, list[int | None]] = {}
    for (name, time, level), field in case.digest.fields.items():
        kind = VARIABLES[name].kind if name in VARIABLES else "surface"
        if field.empty or field.high == field.low or kind == "static" or name in SLOW:
            continue
        if _masked(name) or name in NAMES_WITHOUT_PERIOD:
            continue
        first = seen.setdefault((name, field.fingerprint), (time, level))
        if first == (time, level):
            continue
        if first[0] == time:
            levels_alike.setdefault(name, []).extend([first[1], level])
        elif time is not None and first[0] is not None:
            both = f"{hour(case.digest.times[first[0]])} and {hour(case.digest.times[time])}"
            times_alike.setdefault(both, set()).add(name)
    on_request = is_repeated(case.dataset.attrs)
    for both, names in times_alike.items():
        yield Finding(
            "repeated",
            "warning" if on_request else "error",
            f"{listed(sorted(names))} are the same, point by point, at {both}"
            + (", as the dataset says: repeated on request" if on_request else ""),
            "nothing to try things out; for a forecast to trust, add the analysis 6 h earlier"
            if on_request
            else "fetch the later frame again: one was written twice",
        )
    for name, where in levels_alike.items():
        if name not in OFTEN_NOTHING:
            yield Finding(
                "repeated",
                "error",
                f"{name} is the same, point by point,{at_levels(where)}",
                "fetch these levels again: one was written twice",
            )
