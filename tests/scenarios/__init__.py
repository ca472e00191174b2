"""The whole program: real processes, from Alertmanager's post to somebody who has it."""
