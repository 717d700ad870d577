"""One update taken apart: an operation at a time, explained, written down."""
