"""The incidents of history, played again."""
