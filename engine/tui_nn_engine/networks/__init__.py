"""A network compiled, and what its layers, units and weights are called."""
