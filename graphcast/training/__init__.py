"""Making weights: `optimiser` (AdamW as published), `loop` (one update, and many)."""
