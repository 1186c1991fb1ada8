"""One file a claim; each prints what the README and the documents quote."""
