"""The planner on the screen; the only room that knows Textual."""

import os

# What is drawn waits for the next tick of the library's clock, sixty in a second unless it is told otherwise. A cursor
# that moves and then says why takes two of them, so that a key took 27 ms whatever was drawn. The number is read when
# the library is first loaded; a person's own stands.
os.environ.setdefault("TEXTUAL_FPS", "240")
