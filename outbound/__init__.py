"""HTTP that we send ourselves: with a deadline, a size limit, and no way into private networks."""
