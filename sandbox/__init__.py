"""Stand-ins for the carriers, written from their documents; shares no code with the service."""
