"""HTTP that we send ourselves."""
