"""Which grid fields are on."""

import xarray as xr

from mesh.grid import LatLonGrid


def grid_of(fields: xr.Dataset | xr.DataArray, where: str = "") -> LatLonGrid:
    """The global grid that canonical fields are on.

    This is the one place where data are asked whether they cover the globe. `where` begins the
    error's sentence: a file's name, or the role that the data have.

    Raises:
        ValueError: the latitudes do not reach from pole to pole, or the longitudes are not uniform
            and once around the globe.
    """
    try:
        return LatLonGrid.from_coordinates(fields["latitude"].values, fields["longitude"].values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from None
