"""What a forecast is handed on as: a part of it, as Zarr, netCDF or GRIB by the name's ending."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import dask.array as da
import xarray as xr

from data.stores.building import Building
from data.stores.dataset import write_dataset
from data.stores.forecast.grib import Signature, check_grib, write_grib
from data.stores.forecast.header import CELL_DIMS, ForecastHeader
from data.stores.forecast.netcdf import along_lead_time, write_netcdf
from data.stores.forecast.part import Part
from data.stores.reading import MissingChunkError, is_damage, whole
from data.wording import one_line

NETCDF = (".nc",)
GRIB = (".grib2", ".grib")


@dataclass(frozen=True)
class Form:
    """Which part of a forecast is written, and what is said with it.

    Attributes:
        part: what is written.
        signature: what a GRIB file says of its origin.
        zarr_format: of a Zarr store.
    """

    part: Part = field(default_factory=Part)
    signature: Signature = field(default_factory=Signature)
    zarr_format: Literal[2, 3] = 3

    def maker(self, target: Path) -> Callable[[Path, Path], None] | None:
        """What makes the result from a complete store; None where the store itself is the result.

        It is called with the store's folder and the path of the result; see `Building.finish_as`.
        """
        ending = target.suffix.casefold()
        if ending not in NETCDF + GRIB and self.part.is_all:
            return None
        return lambda store, result: _discard(self.write(store, result, ending))

    def check(self, header: ForecastHeader, target: Path) -> None:
        """Refuse, before anything is computed, a form that a forecast cannot be written in.

        Raises:
            ValueError: the forecast lacks something of the part, or GRIB cannot describe it.
        """
        empty = {
            name: (header.cell_dims + header.field_dims(name), da.zeros(header.shape(name)))
            for name in header.variables
        }
        forecast = xr.decode_cf(xr.Dataset(empty, header.coordinates()), decode_timedelta=True)
        part = self.part.of(forecast)
        if target.suffix.casefold() in GRIB:
            check_grib(part)

    def write(self, source: Path, result: Path, ending: str) -> dict[str, float]:
        """Write a forecast's part as the ending says; an earlier file is replaced.

        Returns:
            for each variable, the largest rounding of a value by GRIB's packing; empty for others.

        Raises:
            ValueError: the forecast lacks something of the part, has lost chunks or is damaged; or
                as `write_grib`.
        """
        try:
            with opened(source) as forecast:
                part = self.part.of(forecast)
                if ending in GRIB:
                    return write_grib(part, result, self.signature)
                if ending in NETCDF:
                    write_netcdf(part, result)
                else:
                    _write_zarr(part, result, self.zarr_format, str(self.part))
                return {}
        except MissingChunkError:
            raise
        except (RuntimeError, ValueError) as error:  # of the codecs
            if not is_damage(error):
                raise
            raise ValueError(
                f"some values of {source} cannot be read ({one_line(error)}); the store is damaged:"
                " make it again"
            ) from error


WHOLE = Form()


def write_forecast(
    source: Path, target: Path, form: Form = WHOLE, *, overwrite: bool = False
) -> dict[str, float]:
    """Write a finished forecast in another form, whole: the format follows the target's ending.

    Args:
        source: a forecast store, or a netCDF file made of one.
        target: the file or the Zarr store.
        form: which part, and how.
        overwrite: replace a Zarr store of that name; a file is always replaced.

    Returns:
        as `Form.write`.

    Raises:
        FileExistsError: as `Building.open`.
        ValueError: as `Form.write`.
    """
    ending = target.suffix.casefold()
    if ending in NETCDF + GRIB:
        return form.write(source, target, ending)
    with opened(source) as forecast:
        key = _fingerprint(forecast, form)
    with Building.open(target, "forecast", key, overwrite=overwrite) as building:
        if not building.named:
            form.write(source, building.folder, ending)
        building.finish()
    return {}


def opened(source: Path) -> xr.Dataset:
    """A forecast store, or the netCDF file of one, unread, in the layout of the store."""
    if source.is_dir():
        stored: xr.Dataset = xr.open_zarr(whole(source), decode_timedelta=True)
        return stored
    dataset = xr.open_dataset(source, engine="netcdf4", chunks={}, decode_timedelta=True)
    return along_lead_time(dataset)


def _write_zarr(forecast: xr.Dataset, folder: Path, zarr_format: Literal[2, 3], words: str) -> None:
    """A part of a forecast with the layout of our stores; it is another forecast, and says so."""
    origin = f"{forecast.attrs.get('fingerprint')} {words} {zarr_format}"
    attrs = forecast.attrs | {"fingerprint": hashlib.sha256(origin.encode()).hexdigest()}
    write_dataset(forecast.assign_attrs(attrs), folder, zarr_format=zarr_format, apart=CELL_DIMS)


def _fingerprint(forecast: xr.Dataset, form: Form) -> str:
    text = f"{forecast.attrs.get('fingerprint')} {form}"
    return hashlib.sha256(text.encode()).hexdigest()


def _discard(_: dict[str, float]) -> None:
    return None
