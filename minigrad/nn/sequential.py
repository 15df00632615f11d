"""`Sequential`: modules one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, overload

from .._tensor import Tensor
from ..errors import brief
from ..typing import Array
from .module import Module


class Sequential(Module):
    """Modules one after the other, named "0", "1", ... or by the keys of a dict.

    >>> rng = np.random.default_rng(0)
    >>> mg.nn.Sequential(mg.nn.Linear(4, 8, rng=rng), mg.nn.Tanh(), mg.nn.Linear(8, 2, rng=rng))
    Sequential, 58 parameters
      0: Linear(4, 8), 40 parameters: weight (8, 4), bias (8,)
      1: Tanh()
      2: Linear(8, 2), 18 parameters: weight (2, 8), bias (2,)
    >>> len(mg.nn.Sequential({"hidden": mg.nn.Linear(4, 8, rng=rng), "tanh": mg.nn.Tanh()}))
    2
    """

    def __init__(self, *modules: Module | Mapping[str, Module]):
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else dict(enumerate(modules))
        for name, module in named.items():
            self._put(name, module)

    def _put(self, name: int | str, module: Any) -> None:
        if not isinstance(module, Module):
            hint = "; give a list's parts one by one" if isinstance(module, (list, tuple)) else ""
            hint = "; write a class of mg.nn.Module that calls it in `forward`" if callable(module) else hint
            raise TypeError(f"Sequential: each part must be a Module, not {brief(module)}{hint}")
        setattr(self, str(name), module)
        if isinstance(name, int):
            vars(module)["_label"] = f"{name} {type(module).__name__}"

    def forward(self, x: Array) -> Tensor:
        """Return what the last module makes of what the others make of x: a Tensor, if any of them has parameters."""
        for module in self:
            x = module(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return (part for part in vars(self).values() if isinstance(part, Module))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return a module, or a Sequential of those in a slice. Raises IndexError for a module that is not there."""
        found = self._at([*self], index)
        return Sequential(*found) if isinstance(found, list) else found

    def __setitem__(self, index: int, module: Module) -> None:
        """Put a module in the place of another one. Raises IndexError for a module that is not there."""
        names = [name for name, part in vars(self).items() if isinstance(part, Module)]
        name = self._at(names, index)
        if isinstance(name, list):
            raise TypeError(f"Sequential: one module can be replaced at a time, not those of {index}")
        self._put(int(name) if name.isdecimal() else name, module)

    def _at(self, parts: list, index: int | slice) -> Any:
        try:
            return parts[index]
        except (IndexError, TypeError) as error:
            said = f"must be a slice or an int, of one of {len(self)} modules, not {brief(index)}"
            raise type(error)(f"Sequential: the index {said}") from None
