"""Faults that survive because they change nothing: each with its argument. See docs/testing.md."""

EQUIVALENT: dict[str, str] = {}
