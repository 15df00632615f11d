"""SciPy's names, from minigrad.scipy."""
