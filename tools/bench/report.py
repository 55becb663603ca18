"""What was measured, as a table for a shell and, on request, as the table and the plot of
docs/performance.md."""

import html
import statistics
import textwrap

import page
from servers import ROOT

PLOT = ROOT / "docs" / "performance.svg"

HEAD = ["", "requests/s", "of the floor", "CPU \u00b5s each", "of the floor's", "p50 ms", "p99 ms", "first MB", "peak MB", "started ms"]


AGENTS, CLICKS_AN_HOUR = 100_000, 12
PEERS_HEAD = ["", "requests/s", "of open-chat's", "CPU \u00b5s each", "of open-chat's", "p50 ms", "p99 ms", "first MB", "peak MB", "first click, ms"]


def table(rows):
    return page.table(HEAD, map(cells_of, rows))


def peers_table(rows):
    return page.table(PEERS_HEAD, map(cells_of, rows))


def parts_table(rows):
    """Where a click's processor time goes, beside the floor's."""
    wanted = [row for row in rows if "parts" in row]
    names = list(wanted[0]["parts"])
    cells = ([name, *(f"{row['parts'][name]:.1f}" for row in wanted)] for name in names)
    return page.table(["\u00b5s each", *(row["name"] for row in wanted)], cells)


def cells_of(row):
    return [
        row["name"],
        f"{row['rate']:,.0f}",
        spread(row),
        f"{row['cpu']:.1f}",
        f"{1 / row['cpu_ratio']:.2f}",
        f"{row['p50'] / 1000:.2f}",
        f"{row['p99'] / 1000:.2f}",
        f"{row['first']:.1f}",
        f"{row['peak']:.1f}",
        "" if row["ready"] is None else f"{row['ready']:.0f}",
    ]


def spread(row):
    """The median of the rounds' ratios, and between which they were."""
    ratios = row["ratios"]
    least_and_most = "" if row["ratio"] == 1 else f" ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"{row['ratio']:.2f}{least_and_most}"


def sentences(facts):
    yield (
        f"Cold, ChatHub 20 ms away: p50 {facts['cold_p50']:.2f} ms, which is {facts['cold_p50'] - facts['chathub_p50']:.2f} ms over ChatHub's own "
        f"{facts['chathub_p50']:.2f} ms; "
        f"p99 {facts['cold_p99']:.2f} ms; {facts['cold_cpu']:.0f} \u00b5s of CPU each."
    )
    p99 = facts["p99"]
    moved = {
        where: sorted((busy / quiet - 1) * 100 for busy, quiet in zip(p99[where], p99["alone"], strict=True)) for where in ("among", "beside")
    }
    by = {where: f"{statistics.median(all_):+.0f}% ({all_[0]:+.0f}% to {all_[-1]:+.0f}%)" for where, all_ in moved.items()}
    yield (
        f"Warm p99, at a pace that leaves the core idle: {statistics.median(p99['alone']) / 1000:.2f} ms alone. While {facts['cold_share'] * 100:.1f}% of the "
        f"clicks are cold and ChatHub takes 500 ms: {statistics.median(p99['among']) / 1000:.2f} ms, {by['among']}. While as many cold clicks go to another process "
        f"on the same core: {statistics.median(p99['beside']) / 1000:.2f} ms, {by['beside']}."
    )
    for name, count in facts["allocations"].items():
        yield f"Allocations a request, {name}: {count}."


def item(sentence):
    """As an item of a list, as wide as the other documents."""
    return textwrap.fill(f"- {sentence}", 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def needs(rows, facts):
    """What a core can do, rounded down, beside what many agents ask for."""
    rate = {row["name"]: int(row["rate"] / 1000) * 1000 for row in rows}
    asked = AGENTS * CLICKS_AN_HOUR / 3600
    return textwrap.fill(
        f"A core makes {rate['warm']:,} warm clicks a second, {rate['warm, Redis']:,} with Redis, which takes {facts['redis_cpu']:.0f} \u00b5s of its own "
        f"core for each; {AGENTS:,} agents who open {CLICKS_AN_HOUR} chats an hour make {asked:.0f}.",
        100,
        break_on_hyphens=False,
    )


def show(rows, facts):
    print(f"{table(rows)}\n\n{parts_table(rows)}\n")
    for sentence in sentences(facts):
        print(sentence)
    print(needs(rows, facts))


def show_peers(rows):
    print(peers_table(rows) + "\n")


def write(rows, facts, beside):
    measured = page.measured_at()
    items = "\n".join(item(sentence) for sentence in sentences(facts))
    page.write(
        {
            "needs": needs(rows, facts),
            "measured": f"{measured}\n\n{table(rows)}\n\n{items}",
            "parts": parts_table(rows),
            "peers": f"{measured}\n\n{peers_table(beside)}",
        }
    )
    PLOT.write_text(plot(rows))


def plot(rows):
    """Requests a second as bars, with a thin line for the least and the most of all rounds."""
    left, width, step = 130, 560, 34
    most = max(run["rate"] for row in rows for run in row["runs"])
    scale = width / most
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 130}" height="{step * len(rows) + 40}" '
        'font-family="sans-serif" font-size="13">',
        "<title>Requests a second on one core</title>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for place, row in enumerate(rows):
        top = 12 + place * step
        middle = top + 11
        rates = [run["rate"] * scale for run in row["runs"]]
        colour = "#9aa5b1" if row["name"].startswith("floor") else "#2f6fb0"
        parts += [
            f'<text x="{left - 8}" y="{middle + 4}" text-anchor="end">{html.escape(row["name"])}</text>',
            f'<rect x="{left}" y="{top}" width="{row["rate"] * scale:.1f}" height="22" fill="{colour}"/>',
            f'<line x1="{left + min(rates):.1f}" x2="{left + max(rates):.1f}" y1="{middle}" y2="{middle}" stroke="black"/>',
            f'<text x="{left + max(rates) + 8:.1f}" y="{middle + 4}">{row["rate"]:,.0f}/s, {row["ratio"]:.2f}</text>',
        ]
    caption = "Requests a second on one core, and of the floor; the line goes from the slowest round to the fastest."
    parts.append(f'<text x="{left}" y="{step * len(rows) + 30}" fill="#555">{caption}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
