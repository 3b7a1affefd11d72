"""The answers of the judge for whole fleets at once; numpy lives here alone, and is loaded when it is asked for."""
