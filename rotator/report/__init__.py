"""Every word and order once: documents as values, and their text, Markdown, HTML and JSON."""
