"""Wire formats, each a codec with two halves: for customers who speak it and for vendors who do. Pure functions."""
