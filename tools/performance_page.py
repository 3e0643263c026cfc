#!/usr/bin/env python3
"""Writes the tables and plots of docs/performance.md from what the benchmarks measured.

performance_page.py PEERS.json LAYERS.json: of `tools/bench_peers.sh --json PEERS.json` and of
`alexnet bench --arch paper --batch 1 --precision f32 --layers --json > LAYERS.json`.
"""
import json
import math
import pathlib
import sys

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
PEER_COLOURS = {"f32": "#17708c", "f16": "#4a9a7c", "bf16": "#8c6bb1", "int8": "#bf4a2f"}


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def svg(width, height, title, marks):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
                      f"<title>{escaped(title)}</title>", f'<rect width="{width}" height="{height}" fill="#ffffff"/>', *marks, "</svg>", ""])


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escaped(words)}</text>'


def line(x1, y1, x2, y2, colour="#dddddd", extra=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {extra}/>'


def precision_of(case):
    return next((p for p in ("bf16", "f16", "int8") if p in case), "f32")


def ratio_plot(rows):
    """A bar for each case beside OpenVINO; 1 is as fast."""
    rows = [row for row in rows if row["peer"].startswith("OpenVINO")]
    left, right, step, top = 300, 700, 24, 48
    most = math.ceil(max(row["most"] for row in rows))
    x = lambda ratio: left + (right - left) * ratio / most
    bottom = top + step * len(rows)
    marks = [text(left, 24, "times as fast as OpenVINO in the same precision", extra='font-size="14" font-weight="bold"')]
    for tick in range(most + 1):
        marks += [line(x(tick), top - 6, x(tick), bottom, "#555555" if tick == 1 else "#dddddd"), text(x(tick), bottom + 18, str(tick), "middle")]
    for i, row in enumerate(rows):
        y = top + step * i
        marks += [text(left - 10, y + 14, row["case"], "end"),
                  f'<rect x="{left}" y="{y + 2}" width="{x(row["ratio"]) - left:.1f}" height="{step - 6}" fill="{PEER_COLOURS[precision_of(row["case"])]}"/>',
                  line(x(row["least"]), y + step / 2 - 1, x(row["most"]), y + step / 2 - 1, "#222222", 'stroke-width="1.5"'),
                  text(x(row["most"]) + 8, y + 14, f'{row["ratio"]:.2f}')]
    return svg(760, bottom + 32, "How many times as fast as OpenVINO", marks)


def roofline_plot(measured):
    """Operations a second over operations a byte, both logarithmic: filled ours, open the bare primitive, above them the machine's limit."""
    peak, bandwidth = measured["peak_operations_per_second"], measured["memory_bytes_per_second"]
    points = []
    for step in measured["steps"]:
        operations, seconds = step.get("arithmetic_ms", 0) * peak / 1e3, step["ms"] / 1e3
        moved = step.get("memory_ms", 0) * bandwidth / 1e3
        if operations > 0 and moved > 0:
            bare = operations / (step["bare_ms"] / 1e3) if step.get("bare_ms") else None
            points.append((step["layers"][0], operations / moved, operations / seconds, bare))
    left, right, top, bottom = 70, 720, 40, 400
    low_x, high_x = math.floor(math.log10(min(p[1] for p in points))), math.ceil(math.log10(max(p[1] for p in points)))
    highest = max(max(p[2], p[3] or 0, peak) for p in points)
    low_y, high_y = math.floor(math.log10(min(min(p[2], p[3] or p[2]) for p in points))), math.log10(highest) + 0.15
    x = lambda value: left + (right - left) * (math.log10(value) - low_x) / (high_x - low_x)
    y = lambda value: bottom - (bottom - top) * (math.log10(value) - low_y) / (high_y - low_y)
    marks = [text(left, 22, "operations a second over operations for each byte of memory", extra='font-size="14" font-weight="bold"')]
    for power in range(low_x, high_x + 1):
        marks += [line(x(10**power), top, x(10**power), bottom), text(x(10**power), bottom + 18, f"{10**power:g}", "middle")]
    for power in range(low_y, math.floor(high_y) + 1):
        marks += [line(left, y(10**power), right, y(10**power)), text(left - 8, y(10**power) + 4, f"{10 ** (power - 9):g} G", "end")]
    corner, begin = peak / bandwidth, max(10**low_x, 10**low_y / bandwidth)
    marks.append(f'<polyline points="{x(begin):.1f},{y(begin * bandwidth):.1f} {x(corner):.1f},{y(peak):.1f} {right},{y(peak):.1f}" fill="none" stroke="#222222" stroke-width="2"/>')
    labels = []
    for name, intensity, ours, bare in points:
        if bare:
            marks.append(f'<circle cx="{x(intensity):.1f}" cy="{y(bare):.1f}" r="5" fill="#ffffff" stroke="#777777" stroke-width="1.5"/>')
        marks.append(f'<circle cx="{x(intensity):.1f}" cy="{y(ours):.1f}" r="5" fill="#17708c"/>')
        near = next((label for label in labels if abs(label[0] - x(intensity)) < 20 and abs(label[1] - y(ours)) < 14), None)
        if near:
            near[2].append(name)
        else:
            labels.append((x(intensity), y(ours), [name]))
    marks += [text(at_x + 9, at_y - 6, ", ".join(names)) for at_x, at_y, names in labels]
    marks += [text(right, bottom + 36, "filled: this engine; open: the bare oneDNN primitive; line: what memory and arithmetic allow a direct method", "end")]
    return svg(760, bottom + 48, "Roofline of the layers", marks)


def peers_table(measured):
    lines = [f"{measured['version'][0]}; {measured['version'][1]}; {measured['threads']} threads; load {measured['load']:.2f} before", "",
             "| case | against | ours, ms | theirs, ms | ours is faster by | from round to round |", "|---|---|---|---|---|---|"]
    for row in measured["rows"]:
        lines.append(f"| {row['case']} | {row['peer']} | {row['ours_ms']:.2f} | {row['peer_ms']:.2f} | {row['ratio']:.2f} "
                     f"| {row['least']:.2f} to {row['most']:.2f} |")
    return "\n".join(lines)


def layers_table(measured):
    lines = ["| layers | ms | bare primitive, ms | limit, ms | bound by | implementation |", "|---|---|---|---|---|---|"]
    for step in measured["steps"]:
        arithmetic, memory = step.get("arithmetic_ms", 0), step.get("memory_ms", 0)
        bare = f"{step['bare_ms']:.3f}" if step.get("bare_ms") else ""
        limit = f"{max(arithmetic, memory):.3f} | {'arithmetic' if arithmetic > memory else 'memory'}" if memory else " | "
        lines.append(f"| {', '.join(step['layers'])} | {step['ms']:.3f} | {bare} | {limit} | {step['implementation']} |")
    lines.append(f"| **network** | **{measured['ms']:.2f}** | **{measured['bare_ms']:.2f}** | | | ratio {measured['ms'] / measured['bare_ms']:.3f} |")
    return "\n".join(lines)


def main():
    peers, layers = (json.loads(pathlib.Path(name).read_text()) for name in sys.argv[1:3])
    layers = layers["layers"][0]
    page = DOCS / "performance.md"
    words = page.read_text()
    for name, table in (("peers", peers_table(peers)), ("layers", layers_table(layers))):
        begin, end = f"<!-- {name}: tools/performance_page.py writes this -->\n", f"<!-- end of {name} -->"
        head, rest = words.split(begin)
        words = head + begin + "\n" + table + "\n\n" + end + rest.split(end, 1)[1]
    page.write_text(words)
    (DOCS / "performance-peers.svg").write_text(ratio_plot(peers["rows"]))
    (DOCS / "performance-roofline.svg").write_text(roofline_plot(layers))


if __name__ == "__main__":
    main()
