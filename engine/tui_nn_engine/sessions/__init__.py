"""Commands in, events out; the same in a child process."""
