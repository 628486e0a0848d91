"""Settings that every test shares; what tests compute with stands in modules of its own."""

import os

# Before NumPy is loaded: BLAS threads only compete with the threads under test, and a display may be absent.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from hypothesis import HealthCheck, settings

# The first example of a property may compile a kernel, so no deadline. In CI the same examples are drawn every time: a
# change is judged by what it changed, while every local run looks at new examples.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
