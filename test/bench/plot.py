"""Plots as SVG: lines over time, and bars."""

from html import escape

WIDTH, LEFT, RIGHT, TOP = 860, 70, 180, 50
COLORS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"]


def svg(height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
            'font-size="12">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n'
            f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n")


def text(x, y, words, anchor="start", color="black"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{escape(words)}</text>'


def ticks(most):
    """Round numbers from 0 on, the last at `most` or beyond it."""
    step = 10.0 ** (len(f"{int(most)}") - 1) if most >= 1 else 1.0
    while most < step:
        step /= 10
    for divisor in (5, 4, 2, 1):
        if most / (step / divisor) <= 8:
            step /= divisor
            break
    count = int(most / step) + (1 if most % step else 0)
    return [i * step for i in range(max(count, 1) + 1)]


def lines(title, series, x_name, y_name):
    """series: {name: [(x, y)]}, drawn as steps from (0, 0)."""
    height, bottom = 420, 370
    x_ticks = ticks(max([x for points in series.values() for x, _ in points] or [1]))
    y_ticks = ticks(max([y for points in series.values() for _, y in points] or [1]))

    def at(x, y):
        return (LEFT + (WIDTH - LEFT - RIGHT) * x / x_ticks[-1], bottom - (bottom - TOP) * y / y_ticks[-1])

    parts = []
    for tick in x_ticks:
        x = at(tick, 0)[0]
        parts += [f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#ddd"/>', text(x, bottom + 16, f"{tick:g}", "middle")]
    for tick in y_ticks:
        y = at(0, tick)[1]
        parts += [f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
                  text(LEFT - 6, y + 4, f"{tick:g}", "end")]
    parts += [text((LEFT + WIDTH - RIGHT) / 2, bottom + 36, x_name, "middle"), text(LEFT, TOP - 8, y_name)]
    for i, (name, points) in enumerate(series.items()):
        color = COLORS[i % len(COLORS)]
        stride = max(1, len(points) // 2000)
        path = "M{:.1f} {:.1f}".format(*at(0, 0))
        for x, y in [*points[::stride], *points[-1:]]:
            path += "H{:.1f}V{:.1f}".format(*at(x, y))
        parts += [f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>',
                  text(WIDTH - RIGHT + 10, TOP + 14 + 18 * i, name, color=color)]
    return svg(height, title, parts)


def bars(title, rows, unit):
    """rows: [(name, value, limit or None)]; the limit is a red mark."""
    left, row_height = 300, 22
    height = TOP + row_height * len(rows) + 20
    most = max([value for row in rows for value in row[1:] if value] or [1])
    parts = []
    for i, (name, value, limit) in enumerate(rows):
        y = TOP + row_height * i
        width = (WIDTH - left - 120) * value / most
        parts += [text(left - 8, y + 14, name, "end"),
                  f'<rect x="{left}" y="{y + 3}" width="{width:.1f}" height="14" fill="{COLORS[0]}"/>',
                  text(left + width + 6, y + 14, f"{value:,.4g} {unit}")]
        if limit:
            x = left + (WIDTH - left - 120) * limit / most
            parts.append(f'<path d="M{x:.1f} {y}V{y + 20}" stroke="{COLORS[1]}" stroke-width="2"/>')
    return svg(height, title, parts)
