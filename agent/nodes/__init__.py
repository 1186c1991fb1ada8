"""The nodes of the graph, one file each: this listing is the algorithm.

seed → score → evaluate → sample → (student lane: replay, train, measure | teacher lane: analyze, generate,
label or gold) → join → … → finish. A node reads and writes the run folder and returns only the state keys it changes.
"""
