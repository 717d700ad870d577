"""The views of Inspect mode, one file each: what it asks of the engine, and how it is shown."""
