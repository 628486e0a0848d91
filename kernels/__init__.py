"""Numba kernels: arrays in, arrays out, and no import from above.

The folder lies at the top of the repository and is installed as ``collide.kernels``.
"""

# From the top of the repository ``import kernels`` would find this folder too: a second copy of every kernel, compiled
# again, and whatever else is called ``kernels`` in the environment hidden behind it.
if __name__ != "collide.kernels":
    raise ImportError(f"this folder is imported as collide.kernels, not as {__name__}")
