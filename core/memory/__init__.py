"""What occupies a GPU: weights, activations, runtime and cache of a serving process."""
