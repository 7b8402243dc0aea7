"""Stops a preparation after some groups."""

from data.stores.analyses import store as dataset_format


def stop_after(monkeypatch, groups: int) -> None:
    commit, left = dataset_format.DatasetStore.commit, groups

    def limited(self, group):
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        commit(self, group)

    monkeypatch.setattr(dataset_format.DatasetStore, "commit", limited)
