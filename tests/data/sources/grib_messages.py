"""GRIB messages of real files, and tasks that they serve."""

from dataclasses import replace
from pathlib import Path

import eccodes

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


IFS_TASK = replace(
    GFS_TASK,
    inputs=("temperature", "u_component_of_wind", "geopotential"),
    targets=("temperature", "u_component_of_wind", "geopotential"),
)
