"""The grid of a Dataset."""

import xarray as xr

from mesh.grid import LatLonGrid


def grid_of(fields: xr.Dataset | xr.DataArray, where: str = "") -> LatLonGrid:
    """The global grid that canonical fields are on.

    Fields that do not cover the globe are refused here; only the doctor, which reports every fault
    of a file, has a rule of its own.

    Args:
        fields: canonical, with coordinates `latitude` and `longitude`.
        where: beginning of the error's sentence: a file's name, or the role of the data.

    Raises:
        ValueError: the latitudes do not reach from pole to pole, or the longitudes are not uniform
            and once around the globe.
    """
    try:
        return LatLonGrid.from_coordinates(fields["latitude"].values, fields["longitude"].values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from None
