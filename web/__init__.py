"""The internal API. It imports nothing of ours but `paging`."""
