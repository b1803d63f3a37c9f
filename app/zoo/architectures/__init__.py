"""Networks as published that torchvision does not have."""
