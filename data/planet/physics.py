"""The circulation models, and additions to SPEEDY's physics: the daily cycle and a rain gauge.

Functions import jcm when they need it: it brings JAX and is an optional extra.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

EXTRA = "graphcast[simulate]"


@dataclass(frozen=True)
class CirculationModel:
    """A general circulation model of jcm, by its settings.

    Attributes:
        truncation: triangular spectral truncation.
        description: for messages and for the attributes of stores.
        changes: Parameters that differ from jcm's SPEEDY, as `("convection.trcnv", 9.0)`.
    """

    truncation: int
    description: str
    changes: tuple[tuple[str, float], ...] = ()


# "t31-other" is an imperfect model at the planet's own resolution: slower convection, another
# humidity threshold of condensation, more drag over land, each within the range of usual tuning.
MODELS: dict[str, CirculationModel] = {
    "t21": CirculationModel(21, "SPEEDY physics, T21 (5.6°), 8 levels"),
    "t31": CirculationModel(31, "SPEEDY physics, T31 (3.75°), 8 levels"),
    "t42": CirculationModel(42, "SPEEDY physics, T42 (2.8°), 8 levels"),
    "t31-other": CirculationModel(
        31,
        "SPEEDY physics with other convection, condensation and drag, T31 (3.75°), 8 levels",
        (
            ("convection.trcnv", 9.0),
            ("convection.entmax", 0.4),
            ("condensation.rhlsc", 0.95),
            ("surface_flux.cdl", 3.0e-3),
        ),
    ),
}


def model_named(name: str) -> CirculationModel:
    """The model of that name.

    Raises:
        ValueError: there is none; the message lists the names.
    """
    if name not in MODELS:
        raise ValueError(f"a simulation model is {', '.join(MODELS)}, not {name!r}")
    return MODELS[name]


def jcm(module: str) -> Any:
    """A module of jcm.

    Raises:
        ValueError: jcm is not installed; the message says how to install it.
    """
    try:
        return import_module(f"jcm.{module}")
    except ModuleNotFoundError as error:
        raise ValueError(
            "a simulation runs the general circulation model jcm, which is not installed"
            f" ({error.name} is missing); install it with: pip install '{EXTRA}'"
        ) from error


def speedy(spec: CirculationModel) -> Any:
    """SPEEDY's physics with the model's changes, the daily cycle of the Sun and a rain gauge."""
    parameters = jcm("physics.speedy.params").Parameters.default()
    for path, value in spec.changes:
        group, name = path.split(".")
        setattr(getattr(parameters, group), name, _scalar(value))
    physics = jcm("physics.speedy.speedy_terms").speedy_physics(parameters, checkpoint_terms=False)
    terms: list[Any] = []
    for term in physics.terms:
        terms.append(term)
        if term.name == "speedy_forcing":
            terms.append(_sun_of_the_hour())
    composed = jcm("physics.composable_physics").ComposablePhysics
    return composed(terms=[*terms, _rain_gauge()], checkpoint_terms=False)


RAIN_GAUGE = "rain_gauge"  # key in the physics carry: metres of water since it was last reset
GRAMS_TO_METRES = 1e-6  # a gram of water on a square metre is 1 µm deep


def _scalar(value: float) -> Any:
    return import_module("jax.numpy").asarray(value)


def _sun_of_the_hour() -> Any:
    """A term that turns SPEEDY's daily-mean insolation into the insolation of the local hour.

    It multiplies insolation by max(0, cos Z) over the daily mean of max(0, cos Z), which keeps the
    mean of a day. Shortwave radiation is computed every third step; the hour angle is taken in the
    middle of the three.
    """
    jnp = import_module("jax.numpy")
    base = jcm("physics.speedy.speedy_terms").SpeedyTermBase
    tendency = jcm("physics_interface").PhysicsTendency
    every = jcm("physics.speedy.physical_constants").nstrad

    class SunOfTheHour(base):  # type: ignore[valid-type]  # jcm is imported here, not above
        name = "sun_of_the_hour"
        category = "forcing"

        def cache_coords(self, coords: Any) -> None:
            super().cache_coords(coords)
            self._longitude = tuple(float(x) for x in coords.horizontal.longitudes)

        def __call__(self, state: Any, diagnostics: Any, forcing: Any, terrain: Any) -> Any:
            sun, grid = forcing.solar, self._speedy_coords.get_value()
            ahead = every * diagnostics["_dt_seconds"] / 2 / 86400 * 2 * jnp.pi
            hour_angle = sun.synodic_phase + ahead - jnp.pi + jnp.asarray(self._longitude)[:, None]
            δ = _declination(jnp, sun.tyear)
            along = grid.sia * jnp.sin(δ)
            across = grid.coa * jnp.cos(δ)
            half_day = jnp.arccos(jnp.clip(-along / across, -1.0, 1.0))
            mean = (half_day * along + jnp.sin(half_day) * across) / jnp.pi
            now = jnp.maximum(along + across * jnp.cos(hour_angle), 0.0)
            # Below 1e-3 the Sun hardly rises, and there is nothing to distribute.
            share = jnp.where(mean > 1e-3, now / jnp.maximum(mean, 1e-3), 1.0)
            radiation = diagnostics["_shortwave_rad"]
            radiation = radiation.copy(
                fsol=radiation.fsol * share,
                ozone=radiation.ozone * share,
                ozupp=radiation.ozupp * share,
            )
            none = tendency.zeros(state.temperature.shape)
            return none, {**diagnostics, "_shortwave_rad": radiation}

    return SunOfTheHour()


def _declination(jnp: Any, year_fraction: Any) -> Any:
    """Solar declination (radians) by Spencer 1971, as in SPEEDY."""
    α = 2 * jnp.pi * year_fraction
    return (
        0.006918
        - 0.399912 * jnp.cos(α)
        + 0.070257 * jnp.sin(α)
        - 0.006758 * jnp.cos(2 * α)
        + 0.000907 * jnp.sin(2 * α)
        - 0.002697 * jnp.cos(3 * α)
        + 0.001480 * jnp.sin(3 * α)
    )


def _rain_gauge() -> Any:
    """A term that accumulates convective and large-scale precipitation over steps."""
    jnp = import_module("jax.numpy")
    base = jcm("physics.physics_term").PhysicsTerm
    tendency = jcm("physics_interface").PhysicsTendency

    class RainGauge(base):  # type: ignore[valid-type]  # jcm is imported here, not above
        name = "rain_gauge"
        category = "diagnostics"
        provides = (RAIN_GAUGE,)

        def initial_carry_state(self, coords: Any) -> dict[str, Any]:
            return {RAIN_GAUGE: jnp.zeros(coords.horizontal.nodal_shape)}

        def __call__(self, state: Any, diagnostics: Any, forcing: Any, terrain: Any) -> Any:
            rate = diagnostics["_convection"].precnv + diagnostics["_condensation"].precls
            fallen = rate * diagnostics["_dt_seconds"] * GRAMS_TO_METRES
            before = diagnostics.get(RAIN_GAUGE, jnp.zeros_like(fallen))
            none = tendency.zeros(state.temperature.shape)
            return none, {**diagnostics, RAIN_GAUGE: before + fallen}

    return RainGauge()
