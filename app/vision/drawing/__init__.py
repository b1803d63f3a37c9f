"""Drawing: tensors -> pictures that people look at."""
