"""Other projects' names for what minigrad has: `minigrad.compat.autograd`."""
