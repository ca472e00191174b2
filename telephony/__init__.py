"""Speaking: what a call says, its key menu, and one module per voice provider."""
