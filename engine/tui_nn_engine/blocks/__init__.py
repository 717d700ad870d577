"""What all blocks of an experiment file share: fields, problems with their places, paths."""
