"""Data as an experiment names it: split, scaled, ready for a network."""
