"""Task kinds (one file each) and the bundled tasks (one folder each)."""
