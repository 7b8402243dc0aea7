"""Rules on the values of single fields: units, gaps, constants, fill values, repetitions."""

from collections.abc import Iterator

import numpy as np

from data.canonical.precipitation import NAMES_WITHOUT_PERIOD
from data.doctor.case import Case, at_levels, at_time, pairs
from data.doctor.digest import NEVER_ZERO, Field
from data.doctor.exact_zeros import Zeros
from data.doctor.finding import Finding, Worst, worst_by_kind
from data.plausible_ranges import plausible_values
from data.stores.analyses.header import is_repeated
from data.variables import VARIABLES
from data.wording import hour, listed

# Defined over sea or land only, or only where there is some.
MASKED = ("sea_surface_temperature", "sea_ice_cover", "snow_depth")
MASKED_WORDS = ("soil", "lake", "vegetation", "wave", "ice")
# Fields that may not change for hours, and fields that are 0 on many levels.
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
    """Means and extremes are possible in the catalogue's unit; one finding for each variable."""
    complaints = worst_by_kind(
        (name, Worst(0.0, complaint, (level,)))
        for (name, _, level), complaint in case.complaints.items()
    )
    for complaint in complaints.values():
        sentence, _, remedy = complaint.text.rpartition("; ")
        more = len(set(complaint.levels)) - 1
        yield Finding(
            "units",
            "error",
            sentence + (f" (and alike on {more} more levels)" if more > 0 else ""),
            remedy,
        )
    extremes: dict[str, str] = {}
    for (name, _, level), field in case.digest.fields.items():
        if name in VARIABLES and not {name} & (complaints.keys() | extremes) and not field.empty:
            text = _extreme(name, level, field)
            if text is not None:
                extremes[name] = text
    for text in extremes.values():
        yield Finding("units", "warning", text, "look for fill values, damage or a wrong unit")


def _extreme(name: str, level: int | None, field: Field) -> str | None:
    """The sentence about a field that goes beyond the weather's range, if it does."""
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
    """No values are missing where the variable has a value everywhere."""
    empty: dict[str, dict[int | None, list[int | None]]] = {}
    for (name, time, level), field in case.digest.fields.items():
        if field.empty and not _masked(name):
            empty.setdefault(name, {}).setdefault(level, []).append(time)
    for name, times_by_level in empty.items():
        yield from _empty(case, name, times_by_level)
    for name, holes in worst_by_kind(_holes(case)).items():
        yield Finding(
            "gaps",
            "error",
            f"{name} has holes in {len(holes.levels)} field(s); the first, {holes.text}",
            "fetch the file again, or fill the holes from another analysis",
        )


def _holes(case: Case) -> Iterator[tuple[str, Worst]]:
    """Every field that has values and gaps; all count alike, so the first is described."""
    for (name, time, level), field in case.digest.fields.items():
        if field.whole or field.empty or _masked(name):
            continue
        row, column = field.first_gap or (0, 0)
        latitude = float(case.dataset["latitude"].values[row])
        longitude = float(case.dataset["longitude"].values[column])
        text = (
            f"{field.gaps} of {field.size} points{at_levels([level])}"
            f"{at_time(case.digest, time)}, begins at latitude {latitude:g},"
            f" longitude {longitude:g}"
        )
        yield name, Worst(0.0, text, (level,))


def _empty(
    case: Case, name: str, times_by_level: dict[int | None, list[int | None]]
) -> Iterator[Finding]:
    """Levels that have no values at any time, and levels that have none at some."""
    always = len(case.digest.moments(name))
    never = [level for level, at in times_by_level.items() if len(at) == always]
    sometimes = [(level, at) for level, at in times_by_level.items() if len(at) < always]
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
    """No field is the same everywhere, and none is 0 where a chunk is missing."""
    for name, flat in worst_by_kind(_flat(case)).items():
        static = name in VARIABLES and VARIABLES[name].kind == "static"
        yield Finding(
            "constant",
            "warning" if static else "error",
            f"{name} is the same everywhere{at_levels(flat.levels)} ({flat.text})",
            "nothing, if the planet is meant to be like this"
            if static
            else "fetch the file again: a chunk or message is missing",
        )
    for name, zero in worst_by_kind(_zero_in_parts(case)).items():
        yield Finding(
            "constant",
            "error",
            f"{name} is exactly 0 in large parts{at_levels(zero.levels)}",
            "fetch the file again: chunks are missing, and read as zeros",
        )


def _flat(case: Case) -> Iterator[tuple[str, Worst]]:
    """Fields of one value; all count alike, so the first value is named."""
    for (name, _, level), field in case.digest.fields.items():
        if not field.empty and name not in MASKED and _is_flat(name, level, field):
            yield name, Worst(0.0, f"{field.low:.4g}", (level,))


def _zero_in_parts(case: Case) -> Iterator[tuple[str, Worst]]:
    for (name, _, level), field in case.digest.fields.items():
        if field.empty or name in MASKED or _is_flat(name, level, field):
            continue
        if field.zeros > _zeros_allowed(name, level):
            yield name, Worst(0.0, "", (level,))


def _is_flat(name: str, level: int | None, field: Field) -> bool:
    """Whether a field has one value, and the variable is not one that may be 0 all over a level."""
    may_be = name in OFTEN_NOTHING and (field.low == 0 or level is None or level < 300)
    return field.high == field.low and (not may_be or level in NEVER_NOTHING.get(name, ()))


def _zeros_allowed(name: str, level: int | None) -> float:
    """Fraction of points that may be exactly 0."""
    if name not in VARIABLES:
        return 1.0
    if VARIABLES[name].bounds[0] > 0:  # K and Pa never are
        return 0.0
    # Packing rounds winds to 0.1 m/s at worst, which makes one point in a hundred 0.
    if name.endswith("component_of_wind"):
        return 0.05
    # Clipping negative relative humidity makes zeros, but not on a fifth of the globe below 400
    # hPa.
    if name in NEVER_NOTHING and level in NEVER_NOTHING[name]:
        return 0.2
    return 1.0


# Zeros of a packed wind over the expected number plus 1. Real files: 461 zeros for 384 expected, 39
# for 40; where there are only a few, a ratio of 2.7 (3 on a regridded one).
CROWD = 4
# With fewer than PACKED zeros expected, a zero is a fill value, unless sums of packed values cancel
# out: one or two zeros on a map, at most 0.03 ranges outside the values around them.
PACKED, STANDING_OUT, PATCH = 0.2, 0.3, 3
# Where packing makes few zeros, no real zero has more than two others around it.
FEW, BLOCK = 3e-3, 8
# Specific humidity is 0 where negative values were clipped: at most 1.1 ranges outside the values
# around it, which are at most 0.7 of the level's mean.
HUMID_OUTSIDE, HUMID_PART, LOWEST_HUMID = 1.5, 0.9, 400


def fills(case: Case) -> Iterator[Finding]:
    """No gaps of winds and humidity were filled with 0."""
    for name in NEVER_ZERO:
        zeros_of = {
            key: f.exact for key, f in case.digest.fields.items() if key[0] == name and f.exact
        }
        number = sum(zeros.number for zeros in zeros_of.values())
        expected = sum(zeros.expected for zeros in zeros_of.values())
        if name.endswith("component_of_wind") and number > CROWD * (expected + 1):
            yield Finding(
                "fills",
                "error",
                f"{name} is exactly 0 at {number} points{at_levels(x for _, _, x in zeros_of)}, and"
                f" by the rounding of its values at {expected:.1g}",
                "fetch the file again, or fill the holes: missing values were written as 0",
            )
            continue
        patches = {key: z for key, z in zeros_of.items() if _is_patch(name, key[2], z)}
        odd = patches or {
            key: z
            for key, z in zeros_of.items()
            if _stands_out(name, key[2], z, case.digest.fields[key])
        }
        for (_, time, level), zeros in list(odd.items())[:1]:
            latitude = case.dataset["latitude"].values[zeros.row]
            longitude = case.dataset["longitude"].values[zeros.column]
            yield Finding(
                "fills",
                "error" if patches else "warning",
                f"{name}{at_levels([level])}{at_time(case.digest, time)} is exactly 0 at latitude"
                f" {latitude:g}, longitude {longitude:g}, and nowhere near it around",
                "look for a missing value that was written as 0, and fill it",
            )


def _is_patch(name: str, level: int | None, zeros: Zeros) -> bool:
    """Whether humidity breaks off to 0 at several points, as no dry air does."""
    return name == "specific_humidity" and _humid(level) and zeros.abrupt >= PATCH


def _stands_out(name: str, level: int | None, zeros: Zeros, field: Field) -> bool:
    """Whether a zero lies too far from the values around it to be one of them."""
    if name == "specific_humidity":
        far = zeros.outside > HUMID_OUTSIDE and zeros.least > HUMID_PART * field.mean
        return _humid(level) and far
    if zeros.expected < PACKED:
        return zeros.outside > STANDING_OUT or zeros.beside >= PATCH
    return zeros.expected < FEW * field.size and zeros.beside == BLOCK


def _humid(level: int | None) -> bool:
    return level is not None and level >= LOWEST_HUMID


# Root-mean-square change between frames over the spread over the globe: 0.01 in an hour, 0.05 and
# more in six hours. Rounding of a packed file makes 1e-5 to 1e-4.
STILL = 1e-3
RESTLESS = ("temperature", "u_component_of_wind", "v_component_of_wind", "2m_temperature")


def _standing_still(case: Case) -> Iterator[Finding]:
    """Frames that differ by rounding only: copies that were packed again."""
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
    """No field comes twice, at two times or on two levels."""
    yield from _standing_still(case)
    names_by_times: dict[str, set[str]] = {}
    levels_by_name: dict[str, list[int | None]] = {}
    for name, (first_time, first_level), (time, level) in _copies(case):
        if first_time == time:
            levels_by_name.setdefault(name, []).extend([first_level, level])
        elif time is not None and first_time is not None:
            both = f"{hour(case.digest.times[first_time])} and {hour(case.digest.times[time])}"
            names_by_times.setdefault(both, set()).add(name)
    on_request = is_repeated(case.dataset.attrs)
    for both, names in names_by_times.items():
        yield Finding(
            "repeated",
            "warning" if on_request else "error",
            f"{listed(sorted(names))} are the same, point by point, at {both}"
            + (", as the dataset says: repeated on request" if on_request else ""),
            "nothing to try things out; for a forecast to trust, add the analysis 6 h earlier"
            if on_request
            else "fetch the later frame again: one was written twice",
        )
    for name, levels in levels_by_name.items():
        if name not in OFTEN_NOTHING:
            yield Finding(
                "repeated",
                "error",
                f"{name} is the same, point by point,{at_levels(levels)}",
                "fetch these levels again: one was written twice",
            )


_Place = tuple[int | None, int | None]  # time and level


def _copies(case: Case) -> Iterator[tuple[str, _Place, _Place]]:
    """Variable, place of its first field and place of a later field with the same values."""
    first_place: dict[tuple[str, bytes], _Place] = {}
    for (name, time, level), field in case.digest.fields.items():
        kind = VARIABLES[name].kind if name in VARIABLES else "surface"
        if field.empty or field.high == field.low or kind == "static" or name in SLOW:
            continue
        if _masked(name) or name in NAMES_WITHOUT_PERIOD:
            continue
        first = first_place.setdefault((name, field.fingerprint), (time, level))
        if first != (time, level):
            yield name, first, (time, level)
