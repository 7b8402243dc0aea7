"""Real data that come with the package: small, attributed in README.md beside them."""

from importlib.resources import files
from pathlib import Path


def analyses() -> Path:
    """Eight ECMWF analyses and short forecasts, 6 h apart, 10°, six levels: a GRIB file.

    Geopotential, temperature, wind and relative humidity; see README.md in this folder for the
    times, the origin and the licence (CC-BY-4.0).
    """
    # A wheel is unpacked when it is installed, so the resource is a file on disk.
    return Path(str(files(__name__) / "ecmwf_ifs_10deg_6h_20240603-04.grib"))
