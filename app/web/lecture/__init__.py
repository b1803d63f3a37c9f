"""The room of the lecture: what its chapters say, what they look at, and what is made for them."""
