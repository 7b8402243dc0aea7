"""Files of weights: what goes in comes out, and damage is named."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from graphcast.checkpoints import read_checkpoint, write_checkpoint
from graphcast.checkpoints.deepmind import haiku_tensors
from graphcast.checkpoints.tensors import named_leaves

A_WEIGHT = "params:mesh_gnn/~_networks_builder/processor_edges_1_mesh_mlp/~/linear_0:w"


@pytest.fixture
def npz(world, tmp_path):
    path = tmp_path / "weights.npz"
    write_checkpoint(world.checkpoint, path)
    return path


def rewrite(path, change):
    """The npz with its entries changed by `change`."""
    with np.load(path) as archive:
        entries = dict(archive)
    change(entries)
    np.savez(path, **entries)


@pytest.mark.parametrize("name", ["weights.npz", "weights.safetensors"])
def test_what_is_written_is_read_back(world, tmp_path, name):
    path = tmp_path / name
    write_checkpoint(world.checkpoint, path)
    found = read_checkpoint(path)
    assert found.spec == world.checkpoint.spec
    assert set(found.task.inputs) == set(world.checkpoint.task.inputs)
    assert found.description == "random weights"
    for one, other in zip(jax.tree.leaves(found.model), jax.tree.leaves(world.model), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not list(tmp_path.glob("*.tmp"))


def test_our_format_keeps_statistics_and_provenance(world, tmp_path):
    path = tmp_path / "weights.safetensors"
    world.checkpoint.provenance["seed"] = "0"
    write_checkpoint(world.checkpoint, path)
    found = read_checkpoint(path)
    assert found.provenance == {"seed": "0"}
    assert found.task == world.checkpoint.task
    for one, other in zip(found.moments, world.checkpoint.moments, strict=True):
        assert one.equals(other)


def test_writing_twice_gives_the_same_bytes(world, tmp_path):
    paths = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for path in paths:
        write_checkpoint(world.checkpoint, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_published_names_follow_the_release(world):
    names = haiku_tensors(world.model)
    assert A_WEIGHT.removeprefix("params:") in names
    assert "mesh2grid_gnn/~_networks_builder/decoder_nodes_grid_nodes_mlp/~/linear_1:b" in names
    assert not any("decoder_nodes_grid_nodes_layer_norm" in name for name in names)
    # the same numbers under both names
    assert sum(np.size(x) for x in names.values()) == sum(
        x.size for x in named_leaves(world.model).values()
    )


def test_every_bad_tensor_is_named_at_once(npz):
    def spoil(entries):
        del entries[A_WEIGHT]
        entries["params:surprise:w"] = np.zeros(3, np.float32)
        bias = A_WEIGHT.replace(":w", ":b")
        entries[bias] = entries[bias][:-1]

    rewrite(npz, spoil)
    with pytest.raises(ValueError, match="do not fit the model") as error:
        read_checkpoint(npz)
    text = str(error.value)
    assert f"missing: {A_WEIGHT.removeprefix('params:')}" in text
    assert "not known to this model: surprise:w" in text
    assert "has shape (7,) where (8,) is due" in text


def test_nan_and_integers_are_no_weights(npz):
    def spoil(entries):
        entries[A_WEIGHT] = np.full_like(entries[A_WEIGHT], np.nan)
        bias = A_WEIGHT.replace(":w", ":b")
        entries[bias] = entries[bias].astype(int)

    rewrite(npz, spoil)
    with pytest.raises(ValueError, match="NaN or infinity") as error:
        read_checkpoint(npz)
    assert "holds int64 where float32 is due" in str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_npz_is_damaged(npz, share):
    whole = npz.read_bytes()
    npz.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match="fetch the checkpoint again"):
        read_checkpoint(npz)


def test_flipped_byte_in_npz_is_damage(npz):
    content = bytearray(npz.read_bytes())
    content[len(content) // 2] ^= 0xFF
    npz.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|do not fit"):
        read_checkpoint(npz)


def test_object_array_is_never_unpickled(npz):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a checkpoint was unpickled",))

    def spoil(entries):
        entries["description"] = np.array([Trap()], dtype=object)

    rewrite(npz, spoil)
    with pytest.raises(ValueError, match="plain arrays only, and nothing in it is ever unpickled"):
        read_checkpoint(npz)


def test_config_must_be_a_graphcasts(npz):
    rewrite(npz, lambda entries: entries.pop("model_config:mesh_size"))
    with pytest.raises(ValueError, match="model_config lacks mesh_size"):
        read_checkpoint(npz)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model_config:mesh_size", "x", "mesh_size must be one number, and it is x"),
        ("model_config:mesh_size", 40, "a mesh needs 0 to 10 splits, got 40"),
        ("model_config:latent_size", 0, "latent_size counts from 1, and it is 0"),
        ("model_config:gnn_msg_steps", [1, 2], "gnn_msg_steps must be one number"),
        ("task_config:input_variables:first", "temperature", "a list, one numbered value each"),
        ("task_config:input_variables:0", "temperatur", "unknown variable"),
    ],
)
def test_odd_config_is_named_with_the_file(npz, key, value, words):
    rewrite(npz, lambda entries: entries.update({key: np.array(value)}))
    with pytest.raises(ValueError, match=words) as error:
        read_checkpoint(npz)
    assert str(error.value).startswith(str(npz))


def test_a_checkpoint_without_a_task_is_none(npz):
    rewrite(npz, lambda e: [e.pop(k) for k in list(e) if k.startswith("task_config:input")])
    with pytest.raises(ValueError, match="task_config lacks input_variables:0, input_duration"):
        read_checkpoint(npz)


@pytest.mark.parametrize("name", ["weights.npz", "weights.safetensors"])
def test_a_folder_is_no_checkpoint(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match=r"a checkpoint is one file, and .* is a folder"):
        read_checkpoint(tmp_path / name)


def test_only_two_frames_of_input_are_supported(npz):
    rewrite(npz, lambda e: e.update({"task_config:input_duration": np.array("18h")}))
    with pytest.raises(ValueError, match="reads 18h of input; only 12h"):
        read_checkpoint(npz)


def test_other_steps_have_no_place_in_deepminds_format(world, tmp_path):
    daily = replace(world.checkpoint, task=replace(world.checkpoint.task, step_hours=24))
    with pytest.raises(ValueError, match=r"steps of 6 h, and this model's are of 24 h; write it"):
        write_checkpoint(daily, tmp_path / "weights.npz")
    write_checkpoint(daily, tmp_path / "weights.safetensors")
    assert read_checkpoint(tmp_path / "weights.safetensors").task.step_hours == 24


def test_flipped_byte_in_our_format_fails_the_checksum(world, tmp_path):
    path = tmp_path / "weights.safetensors"
    write_checkpoint(world.checkpoint, path)
    content = bytearray(path.read_bytes())
    content[-5] ^= 0x01
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not have the recorded SHA-256"):
        read_checkpoint(path)


def test_changed_header_in_our_format_fails_the_checksum(world, tmp_path):
    path = tmp_path / "weights.safetensors"
    write_checkpoint(world.checkpoint, path)
    path.write_bytes(path.read_bytes().replace(b"random weights", b"proven weights"))
    with pytest.raises(ValueError, match="does not have the recorded SHA-256"):
        read_checkpoint(path)


def test_truncated_file_of_our_format_is_damaged(world, tmp_path):
    path = tmp_path / "weights.safetensors"
    write_checkpoint(world.checkpoint, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged or no checkpoint"):
        read_checkpoint(path)


def test_unknown_suffix_names_the_known_ones(tmp_path):
    path = tmp_path / "weights.pt"
    path.touch()
    with pytest.raises(ValueError, match=r"ends in \.safetensors or \.npz"):
        read_checkpoint(path)


def test_absent_checkpoint_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint at"):
        read_checkpoint(tmp_path / "weights.npz")


def test_a_failed_write_leaves_the_old_file(world, npz, monkeypatch):
    before = npz.read_bytes()

    def broken(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", broken)
    with pytest.raises(OSError, match="disk full"):
        write_checkpoint(world.checkpoint, npz)
    assert npz.read_bytes() == before
    assert [path.name for path in npz.parent.iterdir()] == [npz.name]
