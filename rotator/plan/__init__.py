"""From a goal to dated steps that keep breakage inside the budget, or to NEVER with the ways out."""
