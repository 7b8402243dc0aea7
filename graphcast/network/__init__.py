"""The published network: `mlp`, `interaction`, `model`; `reference`, the textbook one on jraph."""
