"""The experiment: all that determines a run."""
