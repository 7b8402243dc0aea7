"""What a run needs and where it goes: `memory`, `devices`, `hosts`."""
