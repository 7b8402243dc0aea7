"""The general circulation model behind one class, which steps states six hours at a time.

Only this module and `physics` use JAX and jcm, inside functions. Fields go in and out as numpy
arrays [sigma, lat, lon] with latitude ascending.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module, resources
from typing import Any

import numpy as np

from data.planet.physics import RAIN_GAUGE, CirculationModel, jcm, speedy
from data.planet.sigma import DRY_AIR, Field, SigmaField, SigmaFields

SIGMA_LAYERS = 8
MEAN_SURFACE_PRESSURE = 98.55e3  # Pa, the Earth's: Trenberth and Smith 2005, J. Climate 18, 864
BOUNDARY_CONDITIONS = "t30/clim"  # SPEEDY's climatology: forcing and terrain, shipped with jcm


@dataclass(frozen=True)
class State:
    """The state of the model: spectral dynamics, physics carry and time.

    Dynamics and physics are pytrees of jcm; `arrays` and `Atmosphere.state` turn them into plain
    arrays and back, bit for bit.
    """

    dynamics: Any
    physics: Any
    time: np.datetime64

    def arrays(self) -> dict[str, np.ndarray]:
        """Every leaf of the state, in the order of its pytrees, and the time in seconds."""
        leaves = import_module("jax").tree.leaves((self.dynamics, self.physics))
        named = {f"leaf_{i:03d}": _plain(leaf) for i, leaf in enumerate(leaves)}
        return {**named, "time": np.array(self.time.astype("datetime64[s]").astype(np.int64))}


class Atmosphere:
    """A general circulation model: a pure function from state to state, compiled once.

    Attributes:
        latitude: latitudes of its Gaussian grid (degrees, ascending).
        longitude: longitudes of its grid (degrees).
        sigma: its levels, pressure over surface pressure, ascending.

    Raises:
        ValueError: jcm is not installed.
    """

    def __init__(self, spec: CirculationModel) -> None:
        self.spec = spec
        coords = jcm("physics.speedy.speedy_coords")
        self._coords = coords.get_speedy_coords(SIGMA_LAYERS, spec.truncation)
        with warnings.catch_warnings():
            # Deprecations in xarray and pandas concern jcm's authors, not its users.
            for category in (FutureWarning, DeprecationWarning):
                warnings.simplefilter("ignore", category)
            self._forcing, self._terrain = self._boundary_conditions()
            self._model = jcm("model").Model(
                coords=self._coords,
                terrain=self._terrain,
                physics=speedy(spec),
                start_time="2000-01-01",
            )
        self.latitude = np.rad2deg(np.asarray(self._coords.horizontal.latitudes, np.float64))
        self.longitude = np.rad2deg(np.asarray(self._coords.horizontal.longitudes, np.float64))
        boundaries = np.asarray(self._coords.vertical.boundaries, np.float64)
        self.sigma = (boundaries[1:] + boundaries[:-1]) / 2
        self._step = int(self._model.dt_si.m)

    def _boundary_conditions(self) -> tuple[Any, Any]:
        folder = resources.files("jcm.data.bc") / BOUNDARY_CONDITIONS
        with (
            resources.as_file(folder / "forcing.nc") as forcing,
            resources.as_file(folder / "terrain.nc") as terrain,
        ):
            return (
                jcm("forcing").ForcingData.from_file(
                    str(forcing), coords=self._coords, align_mode="wrap_year"
                ),
                jcm("terrain").TerrainData.from_file(str(terrain), coords=self._coords),
            )

    @cached_property
    def surface_geopotential(self) -> Field:
        """The orography of the dynamics (m2 s-2), truncated like the model."""
        dycore = self._model.dycore
        height = self._coords.horizontal.to_nodal(dycore.primitive.orography)
        return float(jcm("constants").grav) * _from_jcm(height)

    @cached_property
    def land(self) -> Field:
        """Fraction of land."""
        return _from_jcm(self._terrain.fmask)

    def rest(self, seed: int, time: np.datetime64) -> State:
        """A dry, isothermal atmosphere at rest over the orography, perturbed by the seed.

        It has the mass of the Earth's, which the dynamics conserve to a few tenths of a per cent.
        """
        air, _ = self._diagnosed(self._model.initial_state(random_seed=seed))
        scale = DRY_AIR * float(np.mean(np.asarray(air.temperature)))
        rippled = _from_jcm(air.normalized_surface_pressure)
        pressure = rippled * np.exp(-self.surface_geopotential / scale)
        area = np.cos(np.deg2rad(self.latitude))[:, None] * np.ones(self.longitude.size)
        share = MEAN_SURFACE_PRESSURE / self._reference_pressure
        pressure *= share / np.average(pressure, weights=area)
        return self._begun(air.copy(normalized_surface_pressure=_to_jcm(pressure)), time)

    def started(self, air: SigmaFields, time: np.datetime64) -> State:
        """The state with these fields, of which `omega`, `land`, `skin` and `rain` are not used."""
        fields = jcm("physics_interface").PhysicsState(
            *(_to_jcm(x) for x in (air.u, air.v, air.temperature, air.humidity, air.geopotential)),
            _to_jcm(air.surface_pressure / self._reference_pressure),
            {},
        )
        return self._begun(fields, time)

    def _begun(self, fields: Any, time: np.datetime64) -> State:
        dynamics = self._model.initial_state(fields)
        return State(dynamics, self._model.initial_physics_carry(), time)

    def state(self, arrays: dict[str, np.ndarray]) -> State:
        """The inverse of `State.arrays`.

        Raises:
            ValueError: the arrays are of another model.
        """
        jax = import_module("jax")
        template = self._empty
        leaves, shape = jax.tree.flatten(template)
        stored = [arrays.get(f"leaf_{i:03d}") for i in range(len(leaves))]
        same = len(arrays) == len(leaves) + 1 and all(
            array is not None and array.shape == np.shape(leaf)
            for array, leaf in zip(stored, leaves, strict=True)
        )
        if not same:
            raise ValueError(
                f"a state of the model {self.spec.description!r} has {len(leaves)} arrays, and"
                " these are of another one; start again, or use the versions it was saved with"
            )
        dynamics, physics = jax.tree.unflatten(shape, stored)
        return State(dynamics, physics, np.datetime64(int(arrays["time"]), "s"))

    def six_hours_later(self, state: State) -> State:
        """The state six hours later; its rain gauge holds the precipitation of these hours."""
        # Always plain arrays, so that states from a file and in memory run the same program.
        dynamics, physics = import_module("jax").tree.map(_plain, (state.dynamics, state.physics))
        reached, _ = self._model.run_from_state_with_carry(
            dynamics,
            self._forcing,
            save_interval="6 hours",
            total_time="6 hours",
            initial_physics_state={**physics, RAIN_GAUGE: np.zeros_like(physics[RAIN_GAUGE])},
            initial_time=self._clock(state.time),
            initial_step=np.int32(0),
        )
        return State(reached.dynamics, reached.physics, state.time + np.timedelta64(6, "h"))

    def fields(self, state: State) -> SigmaFields:
        """The fields of a state on the model's levels."""
        air, omega = self._diagnosed(state.dynamics)
        return SigmaFields(
            sigma=self.sigma,
            temperature=_from_jcm(air.temperature),
            u=_from_jcm(air.u_wind),
            v=_from_jcm(air.v_wind),
            # Spectral transport makes slightly negative humidity; the physics clips it, too.
            humidity=np.maximum(_from_jcm(air.specific_humidity), 0.0),
            geopotential=_from_jcm(air.geopotential),
            omega=_from_jcm(omega),
            surface_pressure=_from_jcm(air.normalized_surface_pressure) * self._reference_pressure,
            surface_geopotential=self.surface_geopotential,
            land=self.land,
            skin=_from_jcm(state.physics["_surface_flux"].tskin),
            rain=np.maximum(_from_jcm(state.physics[RAIN_GAUGE]), 0.0),
        )

    @cached_property
    def _diagnosed(self) -> Any:
        """A function from dynamics to fields on the grid and vertical velocity.

        It uses a second core, which computes vertical velocity; the stepping core does not.
        """
        core = jcm("dycore.dinosaur.dycore").DinosaurDycore(
            coords=self._coords,
            terrain=self._terrain,
            dt_seconds=float(self._step),
            advection="eulerian",
            compute_omega=True,
        )

        def diagnosed(dynamics: Any) -> tuple[Any, Any]:
            air = core.to_physics_state(dynamics)
            return air, core.physics_fields(dynamics, air)["omega"]

        return import_module("jax").jit(diagnosed)

    @cached_property
    def _empty(self) -> tuple[Any, Any]:
        state = self.rest(0, np.datetime64("2000-01-01", "s"))
        return state.dynamics, state.physics

    @property
    def _reference_pressure(self) -> float:
        return float(jcm("constants").p0)

    def _clock(self, time: np.datetime64) -> Any:
        return jcm("date").to_datetime(str(time.astype("datetime64[s]")))


def _plain(leaf: Any) -> np.ndarray:
    """A leaf of a state as a numpy array in single precision."""
    array = np.asarray(leaf)
    single = {"float64": np.float32, "int64": np.int32}.get(array.dtype.name, array.dtype)
    return array.astype(single, copy=False)


def _to_jcm(field: SigmaField | Field) -> Any:
    """[..., lat, lon] → [..., lon, lat], float32."""
    return import_module("jax.numpy").asarray(np.swapaxes(field, -1, -2), np.float32)


def _from_jcm(field: Any) -> np.ndarray:
    """[..., lon, lat] → [..., lat, lon], float64."""
    return np.ascontiguousarray(np.swapaxes(np.asarray(field, np.float64), -1, -2))
