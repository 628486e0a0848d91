"""What the records mean: fluctuations, rectification, convergence, figures and reports.

Reads records and exact results, never the internals of a model. The folder lies at the top of the repository and is
installed as ``collide.analysis``.
"""
