"""Documents as one HTML file that opens anywhere: no script, nothing fetched, everything escaped in one place."""

from __future__ import annotations

from html import escape as _escape

from rotator.errors import printable
from rotator.report.document import Block, Bullets, Code, Document, Facts, Heading, Paragraph, Table

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem;color:#111;background:#fff}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #ccc;vertical-align:top}.n{text-align:right;white-space:nowrap}"
    "dt{font-weight:600}dd{margin:0 0 .5rem 1.5rem}"
)


def render(document: Document) -> str:
    """Write a document as a whole HTML page."""
    body = "\n".join(_block(block) for block in document.blocks)
    title = escape(document.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def escape(text: str) -> str:
    """Make a text show as itself, in elements and in attributes."""
    return _escape(printable(text), quote=True)


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{escape(text)}</h2>"
        case Paragraph(text, strong):
            return f"<p><strong>{escape(text)}</strong></p>" if strong else f"<p>{escape(text)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Facts(pairs):
            return "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in pairs) + "</dl>"
        case Code(lines):
            return "<pre>" + "\n".join(escape(line.expandtabs(4)) for line in lines) + "</pre>"
        case Table(columns, rows, right, _):
            number = [' class="n"' if column in right else "" for column in columns]
            head = "".join(f"<th{number[i]}>{escape(c)}</th>" for i, c in enumerate(columns))
            body = [
                "<tr>" + "".join(f"<td{number[i]}>{escape(c)}</td>" for i, c in enumerate(row)) + "</tr>"
                for row in rows
            ]
            return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
