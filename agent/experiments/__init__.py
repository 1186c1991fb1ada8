"""Experiments: grids of runs (task × arm × seed), their statistics, and one table and figure of them."""
