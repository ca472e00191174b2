"""The HTTP edge for everything that carriers call: it imports nothing of ours but `paging`."""
