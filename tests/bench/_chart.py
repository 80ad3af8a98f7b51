"""A stacked bar as SVG, with a row of text for each part."""

from collections.abc import Mapping
from html import escape

WIDTH, HEIGHT, ROW = 960, 72, 22
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0")


def bar(title: str, parts: Mapping[str, float], unit: str = "ms") -> str:
    """``parts`` side by side to scale, the largest named inside, all of them below; a whole SVG file."""
    whole = sum(parts.values()) or 1.0
    high = 40 + HEIGHT + ROW * (len(parts) + 1)
    marks, left = [], 0.0
    for number, (name, amount) in enumerate(parts.items()):
        wide, colour = (WIDTH - 40) * amount / whole, COLOURS[number % len(COLOURS)]
        words = f"{escape(name)}: {amount:.2f} {unit} ({amount / whole:.0%})"
        marks.append(
            f'<g><title>{words}</title><rect x="{20 + left:.1f}" y="40" width="{wide:.1f}" height="{HEIGHT}" '
            f'fill="{colour}"/></g>'
        )
        if wide > 90:
            marks.append(f'<text x="{24 + left:.1f}" y="{44 + HEIGHT / 2}" fill="#fff">{escape(name)}</text>')
        below = 40 + HEIGHT + ROW * (number + 1)
        marks.append(f'<rect x="20" y="{below - 11}" width="12" height="12" fill="{colour}"/>')
        marks.append(f'<text x="40" y="{below}" fill="#333">{words}</text>')
        left += wide
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" font-family="sans-serif" font-size="13">'
    )
    back = f'<rect width="{WIDTH}" height="{high}" fill="#fff"/>'
    name = f'<text x="20" y="26" font-size="16" fill="#111">{escape(title)}</text>'
    return "\n".join([head, back, name, *marks, "</svg>\n"])
