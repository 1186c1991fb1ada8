"""Weakness reports and the run report: pure functions from the files of a run folder to text."""
