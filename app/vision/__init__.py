"""The optics: tensors in, tensors out. No web, no disk, no processes."""
