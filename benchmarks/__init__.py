"""How fast Rotator is, each figure against a named alternative that is measured in the same run."""
