"""Recipes: the paper's to the letter, pure in the update, and files that say what is wrong."""

import json
from dataclasses import replace

import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphcast.training.optimiser import AdamW
from graphcast.training.recipe import Phase, Recipe
from graphcast.training.recipes import PUBLISHED, RECIPES, recipe_named

SMALL = Recipe(
    (Phase("one", 10, peak=1e-3, warm_up=2), Phase("two", 5, 1e-4, 1e-4, lead_steps=2)), 4
)


def test_the_published_recipe_is_the_papers():
    # GraphCast §4.3-4.7: table of phases, AdamW, batch
    assert PUBLISHED.updates == 311_000
    assert PUBLISHED.batch == 32
    assert AdamW(0.9, 0.95, 0.1, 32.0) == PUBLISHED.optimiser
    assert PUBLISHED.at(0).learning_rate == 0
    assert PUBLISHED.at(1000).learning_rate == 1e-3
    assert PUBLISHED.at(299_999).learning_rate < 1e-13
    for number in range(11):
        for update in (300_000 + 1000 * number, 300_999 + 1000 * number):
            assert PUBLISHED.at(update)[1:] == (3e-7, 2 + number)
    assert PUBLISHED.at(299_999).lead_steps == 1


@settings(deadline=None)  # the first call starts JAX
@given(st.integers(1, 400), st.integers(0, 400), st.floats(1e-8, 1.0), st.floats(0, 1))
def test_the_learning_rate_is_optax_s_warm_up_and_half_cosine(updates, warm_up, peak, share):
    warm_up = min(warm_up, updates - 1)
    phase = Phase("any", updates, peak=peak, end=share * peak, warm_up=warm_up)
    theirs = optax.warmup_cosine_decay_schedule(0.0, peak, warm_up, updates, end_value=share * peak)
    for update in {0, warm_up, updates // 2, updates - 1}:
        # optax computes in float32, whose cosine is off by 2^-24 of the peak
        np.testing.assert_allclose(
            phase.learning_rate(update), theirs(update), rtol=1e-6, atol=3e-7 * peak
        )


def test_what_holds_at_an_update_is_its_phases():
    assert [SMALL.at(update).phase for update in (0, 9, 10, 14)] == ["one", "one", "two", "two"]
    assert SMALL.most_lead_steps == 2


@pytest.mark.parametrize("update", [-1, 15])
def test_updates_that_a_recipe_has_not_are_refused(update):
    with pytest.raises(ValueError, match=f"count from 0 to 14; {update} is none of them"):
        SMALL.at(update)


@pytest.mark.parametrize("recipe", [PUBLISHED, SMALL, replace(SMALL, average_decay=0.999, seed=5)])
def test_json_gives_the_same_recipe_back(recipe):
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch": 0}, "a batch has at least one sample, and this one has 0"),
        ({"batch": "4"}, "in a recipe batch is int, and this is '4'"),
        ({"batch": True}, "in a recipe batch is int, and this is True"),
        ({"phases": []}, "at least one phase"),
        ({"phases": {}}, r"the phases of a recipe are a list, and these are \{\}"),
        ({"phases": [{}]}, "a phase is a JSON object that has name, peak, updates and perhaps end"),
        ({"phase": []}, "a recipe is a JSON object that has batch, phases and perhaps"),
        ({"precision": "float16"}, "unknown precision 'float16'"),
        ({"average_decay": 1}, r"lies between 0 and 1 \(0.9999, say\), and this is 1.0"),
        ({"optimiser": {"beta": 1}}, "an optimiser is a JSON object that may have beta_1"),
        ({"optimiser": {"beta_2": 1}}, "beta_2 is at least 0 and below 1, and this is 1.0"),
        ({"optimiser": {"weight_decay": -1}}, "a weight decay is not negative, and this is -1.0"),
        ({"optimiser": {"gradient_norm": 0}}, "a gradient norm is positive, and this is 0.0"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_with_the_reason(change, words):
    content = {**json.loads(SMALL.to_json()), **change}
    with pytest.raises(ValueError, match=words):
        Recipe.from_json(json.dumps(content))


def test_a_file_that_is_no_json_is_refused():
    with pytest.raises(ValueError, match="a recipe is a JSON object, and this is none: Expecting"):
        Recipe.from_json("phases: 3")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"updates": 0}, "phase 'p' has at least one update, not 0"),
        ({"warm_up": 11}, "takes from 0 to all of its 10 updates, not 11"),
        ({"peak": 0.0}, "not from 0.0 to 0.0"),
        ({"end": 2.0}, "falls from a positive peak to an end that is not negative"),
        ({"peak": float("nan")}, "not from nan"),
        ({"lead_steps": 0}, "forecasts at least one step, not 0"),
    ],
)
def test_what_is_no_phase_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Phase(**{"name": "p", "updates": 10, "peak": 1.0, **change})


@given(st.integers(2, 10_000))
def test_a_scaled_recipe_has_so_many_updates_and_every_phase(updates):
    scaled = SMALL.scaled(updates)
    assert scaled.updates == updates
    assert [phase.name for phase in scaled.phases] == ["one", "two"]
    assert all(phase.warm_up <= phase.updates for phase in scaled.phases)


def test_a_recipe_scaled_to_its_own_length_is_the_same():
    assert SMALL.scaled(SMALL.updates) == SMALL
    assert PUBLISHED.scaled(PUBLISHED.updates) == PUBLISHED


def test_fewer_updates_than_phases_are_refused():
    with pytest.raises(ValueError, match="a recipe of 2 phases takes at least as many updates"):
        SMALL.scaled(1)


def test_an_average_over_fewer_updates_forgets_faster():
    longer = replace(SMALL, average_decay=0.99)
    assert longer.scaled(SMALL.updates).average_decay == pytest.approx(0.99)
    assert longer.scaled(5).average_decay == pytest.approx(0.97)  # 15 / 5 times as fast
    assert replace(SMALL, average_decay=0.8).scaled(2).average_decay == 0.5


@pytest.mark.parametrize("updates", [1, 7, 100])
def test_a_run_is_validated_after_its_last_update(updates):
    due = SMALL.scaled(max(updates, 2)).validated_after
    assert max(due) == max(updates, 2)
    assert 0 not in due


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_of_the_package_are_known_by_name_and_as_files(name, tmp_path):
    (tmp_path / "file.json").write_text(recipe_named(name).to_json())
    assert recipe_named(str(tmp_path / "file.json")) == RECIPES[name]


def test_a_validation_that_is_none_is_refused():
    content = {**json.loads(SMALL.to_json()), "validation": {"times": 0}}
    with pytest.raises(ValueError, match="times of a validation is at least 1, and this is 0"):
        Recipe.from_json(json.dumps(content))
