"""`Recipe`: learning rate and steps of each update, as a pure function of the update's number.

A recipe is a sequence of phases, each with its number of autoregressive steps and its learning
rate. It is data: frozen, compared by value, and a JSON file. Updates count from 0.
"""

import json
import math
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple

from data.wording import listed, reason
from graphcast.precision import precision_named
from graphcast.training.draw import Draw
from graphcast.training.optimiser import AdamW

FASTEST_AVERAGE = 0.5  # weight of the newest weights in a very short recipe's average


@dataclass(frozen=True)
class Phase:
    """A run of updates that forecast equally far.

    The learning rate rises linearly from 0 to `peak` over `warm_up` updates, then falls along half
    a cosine to `end`, which it would reach at the update after the last one.

    Attributes:
        name: the phase's name in reports.
        updates: how many.
        peak: the highest learning rate.
        end: the learning rate at the end; equal to `peak` for a constant one.
        warm_up: how many updates the rise takes.
        lead_steps: autoregressive steps of each sample, from 1; the gradient runs through all.
    """

    name: str
    updates: int
    peak: float
    end: float = 0.0
    warm_up: int = 0
    lead_steps: int = 1

    def __post_init__(self) -> None:
        """Raise `ValueError` for numbers that describe no phase."""
        if self.updates < 1:
            raise ValueError(f"phase {self.name!r} has at least one update, not {self.updates}")
        if not 0 <= self.warm_up <= self.updates:
            raise ValueError(
                f"the warm-up of phase {self.name!r} takes from 0 to all of its {self.updates} "
                f"updates, not {self.warm_up}"
            )
        if not 0 <= self.end <= self.peak or not 0 < self.peak < math.inf:
            raise ValueError(
                f"the learning rate of phase {self.name!r} falls from a positive peak to an end "
                f"that is not negative, and not from {self.peak!r} to {self.end!r}"
            )
        if self.lead_steps < 1:
            raise ValueError(
                f"phase {self.name!r} forecasts at least one step, not {self.lead_steps}"
            )

    def learning_rate(self, update: int) -> float:
        """The learning rate at `update`, which counts from 0 within the phase."""
        if update < self.warm_up:
            return self.peak * update / self.warm_up
        fallen = (update - self.warm_up) / (self.updates - self.warm_up)
        return self.end + (self.peak - self.end) * (1 + math.cos(math.pi * fallen)) / 2


@dataclass(frozen=True)
class Validation:
    """When a run is validated, and by which forecasts.

    Attributes:
        times: how often, evenly spaced over all updates, the last time at the end.
        init_times: forecasts each time, evenly spaced over the validation period.
        lead_steps: steps of each forecast.
    """

    times: int = 10
    init_times: int = 8
    lead_steps: int = 12

    def __post_init__(self) -> None:
        """Raise `ValueError` for numbers that no validation has."""
        for name, number in asdict(self).items():
            if number < 1:
                raise ValueError(f"{name} of a validation is at least 1, and this is {number}")


class Conditions(NamedTuple):
    """The conditions of one update.

    Attributes:
        phase: the phase's name.
        learning_rate: the learning rate of this update.
        lead_steps: autoregressive steps of each sample.
    """

    phase: str
    learning_rate: float
    lead_steps: int


@dataclass(frozen=True)
class Recipe:
    """How weights are trained: everything but the data and the network.

    Attributes:
        phases: one after the other.
        batch: samples in each update.
        precision: name of a `Precision`.
        seed: of the samples' draws.
        optimiser: how a gradient becomes a step.
        average_decay: decay of the exponential moving average of the weights, which is kept beside
            them; None keeps none.
        validation: when a run is validated.
    """

    phases: tuple[Phase, ...]
    batch: int
    precision: str = "float32"
    seed: int = 0
    optimiser: AdamW = field(default_factory=AdamW)
    average_decay: float | None = None
    validation: Validation = field(default_factory=Validation)

    def __post_init__(self) -> None:
        """Raise `ValueError` for values that no training can follow."""
        if not self.phases:
            raise ValueError("a recipe has at least one phase, and this one has none")
        if self.batch < 1:
            raise ValueError(f"a batch has at least one sample, and this one has {self.batch}")
        precision_named(self.precision)
        if self.average_decay is not None and not 0 < self.average_decay < 1:
            raise ValueError(
                "the decay of averaged weights lies between 0 and 1 (0.9999, say), and this is "
                f"{self.average_decay!r}"
            )

    @property
    def updates(self) -> int:
        """The number of updates in all phases."""
        return sum(phase.updates for phase in self.phases)

    @property
    def most_lead_steps(self) -> int:
        """The largest number of autoregressive steps in any phase."""
        return max(phase.lead_steps for phase in self.phases)

    @property
    def validated_after(self) -> frozenset[int]:
        """The numbers of updates after which a run is validated."""
        times = self.validation.times
        return frozenset(round(i * self.updates / times) for i in range(1, times + 1)) - {0}

    def scaled(self, updates: int) -> "Recipe":
        """The recipe over another number of updates: phases, warm-ups and averaging in proportion.

        >>> from graphcast.training.recipes import PUBLISHED
        >>> [phase.updates for phase in PUBLISHED.scaled(622).phases][:3]
        [600, 2, 2]

        Raises:
            ValueError: there are fewer updates than phases need.
        """
        if updates < len(self.phases):
            raise ValueError(
                f"a recipe of {len(self.phases)} phases takes at least as many updates, and "
                f"{updates} were asked for"
            )
        ends = [sum(p.updates for p in self.phases[: i + 1]) for i in range(len(self.phases))]
        scaled, begun = [], 0
        for left, (phase, end) in enumerate(zip(self.phases, ends, strict=True), 1 - len(ends)):
            # At least one update for this phase, and for each that follows.
            last = min(max(round(end * updates / self.updates), begun + 1), updates + left)
            warm_up = min(round(phase.warm_up * updates / self.updates), last - begun)
            scaled.append(replace(phase, updates=last - begun, warm_up=warm_up))
            begun = last
        decay = self.average_decay
        if decay is not None:
            decay = 1 - min((1 - decay) * self.updates / updates, FASTEST_AVERAGE)
        return replace(self, phases=tuple(scaled), average_decay=decay)

    def draw(self, samples: int) -> Draw:
        """The draw of each update's samples from `samples` of them."""
        return Draw(self.seed, samples, self.batch)

    def at(self, update: int) -> Conditions:
        """The conditions of `update`, from 0 to `updates - 1`.

        >>> from graphcast.training.recipes import PUBLISHED
        >>> PUBLISHED.at(500)
        Conditions(phase='warm-up and half-cosine', learning_rate=0.0005, lead_steps=1)
        >>> PUBLISHED.at(310_999)
        Conditions(phase='12 steps', learning_rate=3e-07, lead_steps=12)

        Raises:
            ValueError: the recipe has no such update.
        """
        first = 0
        for phase in self.phases:
            if first <= update < first + phase.updates:
                rate = phase.learning_rate(update - first)
                return Conditions(phase.name, rate, phase.lead_steps)
            first += phase.updates
        raise ValueError(
            f"updates of this recipe count from 0 to {self.updates - 1}; {update} is none of them"
        )

    def to_json(self) -> str:
        """The recipe as a JSON object, which `from_json` reads."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> "Recipe":
        """The recipe that a JSON object describes.

        Raises:
            ValueError: the text is no JSON, or describes no recipe.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"a recipe is a JSON object, and this is none: {reason(error)}"
            ) from error
        recipe = _checked(content, Recipe, "a recipe")
        phases = recipe["phases"]
        if not isinstance(phases, list):
            raise ValueError(f"the phases of a recipe are a list, and these are {phases!r}")
        recipe["phases"] = tuple(Phase(**_checked(phase, Phase, "a phase")) for phase in phases)
        if "optimiser" in recipe:
            recipe["optimiser"] = AdamW(**_checked(recipe["optimiser"], AdamW, "an optimiser"))
        if "validation" in recipe:
            checked = _checked(recipe["validation"], Validation, "a validation")
            recipe["validation"] = Validation(**checked)
        return Recipe(**recipe)


# The JSON types that a field of each type may have; other fields have checks of their own.
_JSON_TYPES: dict[object, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (float, int),
    float | None: (float, int, type(None)),
}


def _checked(content: Any, kind: type, subject: str) -> dict[str, Any]:
    """`content` if it is a JSON object with the fields of the dataclass `kind`, rightly typed.

    `subject` is what messages call it.
    """
    known = {entry.name: entry for entry in fields(kind)}
    needed = sorted(
        name
        for name, entry in known.items()
        if entry.default is MISSING and entry.default_factory is MISSING
    )
    if not isinstance(content, dict) or not set(needed) <= content.keys() <= known.keys():
        came = listed(sorted(content)) if isinstance(content, dict) else type(content).__name__
        perhaps = listed(sorted(known.keys() - set(needed)))
        has = f"has {listed(needed)} and perhaps {perhaps}" if needed else f"may have {perhaps}"
        raise ValueError(f"{subject} is a JSON object that {has}; this one has {came}")
    checked = dict(content)
    for name, value in content.items():
        allowed = _JSON_TYPES.get(known[name].type, ())
        if allowed and type(value) not in allowed:
            words = " or ".join(kind.__name__ for kind in allowed)
            raise ValueError(f"in {subject} {name} is {words}, and this is {value!r}")
        if float in allowed and value is not None:
            checked[name] = float(value)  # JSON may write 1.0 as 1
    return checked
