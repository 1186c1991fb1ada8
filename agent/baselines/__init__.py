"""Strategies, one file each: the loop's own graph with parts left out and settings of its own."""
