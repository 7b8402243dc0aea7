"""DeepMind's network as two functions of arrays: what it predicts, and what its loss is.

Imports from their checkout stand inside the functions: `make_parity_cases.py` puts it on the path.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

PRECISIONS = {"f32": False, "bf16": True}  # whether DeepMind's Bfloat16Cast is on
TIE = 1e-6  # barycentric coordinate below which a point is on an edge of its triangle


def predictor(
    network: Any, task: Any, statistics: dict[str, xr.Dataset], *, bfloat16: bool
) -> tuple[Any, Any]:
    """DeepMind's stack of wrappers as two pure functions: predictions, and loss."""
    import haiku as hk  # noqa: PLC0415
    from weathernext.utils import autoregressive, casting, normalization  # noqa: PLC0415
    from weathernext.weathernext1_graph import graphcast  # noqa: PLC0415

    def stack() -> Any:
        core = graphcast.GraphCast(network, task)
        cast = casting.Bfloat16Cast(core, enabled=bfloat16)
        normalised = normalization.InputsAndResiduals(
            cast,
            diffs_stddev_by_level=statistics["diffs_stddev"],
            mean_by_level=statistics["mean"],
            stddev_by_level=statistics["stddev"],
        )
        return autoregressive.Predictor(normalised, gradient_checkpointing=True)

    forward = hk.transform(lambda i, t, f: stack()(i, targets_template=t, forcings=f))
    loss = hk.transform(lambda i, t, f: stack().loss(i, t, f))
    return forward, loss


def one_step(fields: dict[str, xr.Dataset], steps: int) -> tuple[xr.Dataset, ...]:
    """Inputs, the targets of the first steps, their forcings."""
    first = slice(0, steps)
    return fields["inputs"], fields["targets"].isel(time=first), fields["forcings"].isel(time=first)


def run(
    network: Any,
    task: Any,
    params: Any,
    statistics: dict[str, xr.Dataset],
    fields: dict[str, xr.Dataset],
    steps: dict[str, tuple[int, ...]],
) -> Iterator[tuple[tuple[str, int], tuple[xr.Dataset, dict[str, Any], dict[str, np.ndarray]]]]:
    """Predictions, loss and gradient for each precision and number of steps."""
    import jax  # noqa: PLC0415
    import xarray_jax  # noqa: PLC0415

    for precision, counts in steps.items():
        forward, loss = predictor(network, task, statistics, bfloat16=PRECISIONS[precision])

        def mean_loss(params: Any, *sample: Any, loss: Any = loss) -> Any:
            total, shares = loss.apply(params, None, *sample)
            return xarray_jax.unwrap_data(total.mean(), require_jax=True), {
                name: xarray_jax.unwrap_data(share.mean()) for name, share in shares.items()
            }

        for count in counts:
            sample = one_step(fields, count)
            template = sample[1] * np.nan
            apply = jax.jit(forward.apply)
            predictions = apply(params, None, sample[0], template, sample[2])
            predictions = xr.Dataset(
                {
                    n: (v.dims, np.asarray(xarray_jax.unwrap_data(v.variable)))
                    for n, v in predictions.items()
                },
                coords={n: c.values for n, c in sample[1].coords.items()},
            )
            (total, shares), gradient = jax.jit(jax.value_and_grad(mean_loss, has_aux=True))(
                params, *sample
            )
            flat = {
                f"{module}:{name}": np.asarray(leaf, np.float32)
                for module, leaves in gradient.items()
                for name, leaf in leaves.items()
            }
            told = {
                "loss": float(total),
                "per_variable": {name: float(share) for name, share in sorted(shares.items())},
            }
            yield (precision, count), (predictions, told, flat)


def graphs(network: Any, task: Any, inputs: xr.Dataset) -> dict[str, np.ndarray]:
    """Senders, receivers and features of the three graphs."""
    import haiku as hk  # noqa: PLC0415
    from weathernext.weathernext1_graph import graphcast  # noqa: PLC0415

    kept: dict[str, np.ndarray] = {}

    def build() -> int:
        # DeepMind keeps what it builds in private attributes; there is no public way to them.
        core = graphcast.GraphCast(network, task)
        core._maybe_init(inputs)
        finest = core._finest_mesh
        kept["mesh_vertices"], kept["mesh_faces"] = finest.vertices, finest.faces
        kept["query_radius"] = np.float32(core._query_radius)
        kept["mesh_nodes_lat"], kept["mesh_nodes_lon"] = core._mesh_nodes_lat, core._mesh_nodes_lon
        for graph in ("grid2mesh", "mesh", "mesh2grid"):
            built = getattr(core, f"_{graph}_graph_structure")
            (edges,) = built.edges.values()
            kept[f"{graph}_senders"] = edges.indices.senders
            kept[f"{graph}_receivers"] = edges.indices.receivers
            kept[f"{graph}_edge_features"] = edges.features
            for nodes in ("grid", "mesh"):
                if f"{nodes}_nodes" in built.nodes:
                    kept[f"{nodes}_node_features"] = built.nodes[f"{nodes}_nodes"].features
        kept["mesh2grid_tied"] = on_an_edge(core, finest)
        return 0

    hk.transform(build).apply({}, None)
    return {
        name: np.asarray(a, np.float32 if np.asarray(a).dtype.kind == "f" else None)
        for name, a in kept.items()
    }


def on_an_edge(core: Any, mesh: Any) -> np.ndarray:
    """Grid points whose triangle depends on rounding, because they are on the edge of two."""
    import trimesh  # noqa: PLC0415

    φ, λ = (
        np.deg2rad(core._grid_nodes_lat.astype("f8")),
        np.deg2rad(core._grid_nodes_lon.astype("f8")),
    )
    points = np.stack([np.cos(φ) * np.cos(λ), np.cos(φ) * np.sin(λ), np.sin(φ)], axis=-1)
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    nearest, _, faces = trimesh.proximity.closest_point(surface, points)
    shares = trimesh.triangles.points_to_barycentric(surface.triangles[faces], nearest)
    return shares.min(axis=1) < TIE
