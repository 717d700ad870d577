"""The loop, all that changes in it, and what is kept of it."""
