"""What programs import from autograd.wrap_util."""

from .differential_operators import unary_to_nary

__all__ = ["unary_to_nary"]
