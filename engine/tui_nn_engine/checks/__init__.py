"""What does not fit, where, why, and the mended experiment."""
