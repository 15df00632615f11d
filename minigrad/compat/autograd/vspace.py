"""The vector space of a nest of arrays: what programs ask of `vspace(value)`."""

import operator

import numpy as np

from ...nest import flatten, mapped, unflatten

__all__ = ["VSpace", "vspace"]

_kinds: dict[type, type] = {}  # of values that are no nests of arrays -> a program's own class


class VSpace:
    """Nests of the structure, shapes and dtypes of one; complex numbers are two real ones."""

    @classmethod
    def register(cls, kind):
        """Let `vspace` of a value of this kind be of this class, whose `_add` is what `add` does, and so on."""
        _kinds[kind] = cls
        for name in ("add", "mut_add", "scalar_mul", "inner_prod", "covector"):
            setattr(cls, name, getattr(cls, f"_{name.removeprefix('mut_')}", getattr(cls, name)))

    def __init__(self, value):
        self._zeros = mapped(lambda leaf: np.zeros(np.shape(leaf), np.result_type(leaf)), value)
        leaves = flatten(self._zeros)
        attributes = (operator.attrgetter(name) for name in ("shape", "ndim", "dtype"))
        self.shape, self.ndim, self.dtype = (mapped(attribute, self._zeros) for attribute in attributes)
        self.iscomplex = any(map(np.iscomplexobj, leaves))
        self.size = sum(leaf.size * (1 + np.iscomplexobj(leaf)) for leaf in leaves)

    def __eq__(self, other):
        return isinstance(other, VSpace) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def zeros(self):
        """The nest of zeros."""
        return mapped(np.copy, self._zeros)

    def ones(self):
        """The nest of ones, 1 + 1j for complex numbers: the sum of the basis."""
        return mapped(lambda leaf: np.full_like(leaf, 1 + 1j if np.iscomplexobj(leaf) else 1), self._zeros)

    def standard_basis(self):
        """Yield each nest with a 1 or 1j in one place and zeros elsewhere."""
        for i, leaf in enumerate(flatten(self._zeros)):
            for index in np.ndindex(leaf.shape):
                for unit in (1, 1j)[: 1 + np.iscomplexobj(leaf)]:
                    nest = self.zeros()
                    flatten(nest)[i][index] = unit
                    yield nest

    def randn(self, rng=np.random):
        """A nest of normal numbers."""

        def normal(leaf):
            real = rng.normal(size=leaf.shape)
            return real + 1j * rng.normal(size=leaf.shape) if np.iscomplexobj(leaf) else real

        return mapped(normal, self._zeros)

    def add(self, x, y):
        """The sum of two nests."""
        # equivalent: flatten(x), flatten(y) -> flatten(y), flatten(x) because a sum has no order
        return unflatten(x, map(operator.add, flatten(x), flatten(y)))

    mut_add = add

    def scalar_mul(self, x, a):
        """A nest times a number."""
        return mapped(lambda leaf: leaf * a, x)

    def inner_prod(self, x, y):
        """The sum of Re(conj(x) y) over all entries."""
        # equivalent: flatten(x), flatten(y) -> flatten(y), flatten(x) because Re(conj(y) x) is the same
        return sum(np.sum(np.real(np.conj(a) * b)) for a, b in zip(flatten(x), flatten(y), strict=True))

    def covector(self, x):
        """The conjugates."""
        return mapped(np.conj, x)


def vspace(value):
    """The vector space of a value."""
    return _kinds.get(type(value), VSpace)(value)
