"""The student: a small encoder that learns the task. The only place that imports torch."""

import logging
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Read when torch is loaded. Threads that wait for each other then sleep instead of spinning: with a local
# teacher on the same cores, training is 6 times as fast (2 cores, MiniLM: 36 s against 6 s for 10 steps).
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
# Matrix products on CUDA are then the same from run to run.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
# On a processor with bf16 it asks on import for a package that has a kernel; the student uses none (four_bit.py).
