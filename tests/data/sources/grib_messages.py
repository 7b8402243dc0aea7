"""GRIB messages of real files, and tasks that they serve."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import eccodes
import numpy as np

from data.samples import analyses
from data.task import Task

GFS_TASK = Task(
    "gfs",
    ("temperature", "u_component_of_wind", "2m_temperature", "land_sea_mask"),
    ("temperature", "u_component_of_wind", "2m_temperature", "total_precipitation_6hr"),
    (),
    (500, 850),
)


def messages(path: Path) -> list[tuple[bytes, dict[str, object]]]:
    """Each message of a GRIB file, and what its first field is: two may share a message."""
    eccodes.codes_grib_multi_support_off()
    keys = ("shortName", "level", "typeOfLevel", "validityDate", "validityTime")
    result = []
    with path.open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            field = {key: eccodes.codes_get(handle, key) for key in keys}
            result.append((eccodes.codes_get_message(handle), field))
            eccodes.codes_release(handle)
    return result


def copies(path: Path, changes: list[dict[str, Any]]) -> Path:
    """A file with the first message of the sample, once for each set of changed keys.

    `add` is added to the field, and `way` is a function that puts its values in another order.
    """
    with analyses().open("rb") as sample, path.open("wb") as out:
        first = eccodes.codes_grib_new_from_file(sample)
        for change in changes:
            message = eccodes.codes_clone(first)
            for key, value in change.items():
                if key == "add":
                    values = eccodes.codes_get_values(message)
                    eccodes.codes_set_values(message, values + value)
                elif key == "way":
                    values = eccodes.codes_get_values(message)
                    eccodes.codes_set_values(message, np.ascontiguousarray(value(values)))
                else:
                    eccodes.codes_set(message, key, value)
            eccodes.codes_write(message, out)
            eccodes.codes_release(message)
        eccodes.codes_release(first)
    return path


IFS_TASK = replace(
    GFS_TASK,
    inputs=("temperature", "u_component_of_wind", "geopotential"),
    targets=("temperature", "u_component_of_wind", "geopotential"),
)
