"""Rooms of images: uploads, predictions, feature maps, attribution, side by side."""
