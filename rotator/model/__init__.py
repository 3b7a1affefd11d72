"""Frozen values and the pure rules over them: no input or output, no clock, no third-party types."""
