"""Formulas as trees: one tree gives the symbols, the numbers and the value."""
