"""What was seen in a soak, in Markdown, and what of it is not as documented."""

import statistics
import textwrap

import page
from hostile import TOO_LATE
from kinds import KINDS
from samples import by_label, labelled

# Refusals that come with a fault of ChatHub or Redis. Any other would be this service's own fault,
# or what a hostile request deserves.
FAULTY = {"chathub-bad-answer", "chathub-throttled", "chathub-timeout", "chathub-unavailable", "overloaded"}
# A body that is not to be there, too long, or does not come.
DESERVED = {"parameter-invalid"}
# What a hostile connection is cut for; `memory` takes more of them than a soak has.
REASONS = {"too-many", "head-too-large", "head-timeout", "malformed", "write-timeout"}
# What must be there again after the load, and how much more may be. The allocator keeps memory, and
# caches keep what they hold for its time: of these it is enough that they do not grow.
RETURNING = {"descriptors": 5, "threads": 0, "tasks": 5, "Redis away": 0}
# A token for each operator who has clicked; their number grows as slowly as it is told to.
GROWING = {"tokens kept"}
# Minutes after which a process that still grows does not do so to warm up.
TELLING = 15
# Half a minute beyond its bound, no connection is late by chance.
SLACK = 30


def text(facts):
    """What was seen, in Markdown."""
    return "\n\n".join([clicks_made(facts), held_table(facts), faults_table(facts), hostile_table(facts), counted(facts)])


def clicks_made(facts):
    clicks = facts["clicks"]
    return wrapped(
        f"{clicks['requests']:,} clicks in {facts['minutes']} minutes, {facts['rate']:,.0f} a second wanted: "
        f"{clicks['broken']} without an answer, {clicks['refused']} refused; p50 {clicks['p50'] / 1000:.1f} ms, "
        f"p99 {clicks['p99'] / 1000:.1f} ms, the slowest {clicks['max'] / 1000:.0f} ms."
    )


def held_table(facts):
    rows = []
    for name, before in facts["before"].items():
        first, second = medians(facts["samples"], name)
        most = max(sample[name] for round_ in facts["samples"] for sample in round_)
        rows.append([name, *(f"{value:,.0f}" for value in (before, first, second, most, facts["after"][name]))])
    return page.table(["", "before", "median of the first half", "of the second", "most", "after"], rows)


def faults_table(facts):
    return page.table(["fault", "traces"], ([name, f"{count:,}"] for name, count in facts["faults"].items()))


def hostile_table(facts):
    rows = []
    for kind in KINDS:
        seen = facts["kinds"][kind.name]
        how = ", ".join(f"{end}: {count:,}" for end, count in sorted(seen["ends"].items()))
        rows.append([kind.name, f"{kind.slots}", how, f"{seen['longest']:.1f}", f"{kind.within}"])
    return page.table(["hostile connections", "at once", "how they ended", "longest, s", "bound, s"], rows)


def counted(facts):
    cut = by_label(facts["metrics"], "open_chat_connections_cut_total")
    return wrapped(f"Cut, as the service counts: {listed(cut)}. Refused: {listed(refused(facts))}.")


def wrapped(sentence):
    return textwrap.fill(sentence, 100, break_long_words=False, break_on_hyphens=False)


def listed(counts):
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def medians(rounds, name):
    """Of both halves of what follows the first round. In a long run each half has every fault, as
    often as the other."""
    values = [sample[name] for round_ in rounds[1:] or rounds for sample in round_]
    half = len(values) // 2
    return statistics.median(values[:half]), statistics.median(values[half:])


def refused(facts):
    counts = by_label(facts["metrics"], "open_chat_refusals_total")
    return {name: count for name, count in counts.items() if count}


def failures(facts):
    """What is not as documented, a sentence each."""
    return [*of_clicks(facts), *of_faults(facts), *of_hostile(facts), *grown(facts), *kept(facts["before"], facts["after"])]


def of_clicks(facts):
    clicks, counts = facts["clicks"], refused(facts)
    if not clicks["requests"]:
        yield "no click was made"
    if clicks["broken"]:
        yield f"{clicks['broken']} clicks got no answer"
    by_faults = sum(count for name, count in counts.items() if name in FAULTY)
    if clicks["refused"] > by_faults:
        yield f"{clicks['refused'] - by_faults} ordinary clicks were refused for no fault of ChatHub or Redis"
    for name in counts.keys() - FAULTY - DESERVED:
        yield f"{counts[name]} requests were refused as {name}"
    if facts["metrics"]["http_requests_in_flight"] > 1:
        yield "requests are still in flight after the load"


def of_faults(facts):
    return (f"{name}: was never in place" for name, count in facts["faults"].items() if not count)


def of_hostile(facts):
    for kind in KINDS:
        seen = facts["kinds"][kind.name]
        if not seen["ends"]:
            yield f"{kind.name}: never ended"
        held = max(seen["longest"], seen["oldest open"])
        if held > kind.within + SLACK:
            yield f"{kind.name}: held for {held:.0f} s, and {kind.within} s are the bound"
        for end in seen["ends"].keys() - {TOO_LATE}:
            status = end.split()[0] if " " in end else None
            if status not in kind.statuses:
                yield f"{kind.name}: {end}"
    for reason in sorted(REASONS):
        if not labelled(facts["metrics"], "open_chat_connections_cut_total", reason=reason):
            yield f"no connection was cut as {reason}"


def grown(facts):
    if facts["minutes"] < TELLING:
        print(f"In less than {TELLING} minutes growth cannot be told from warming up: it is not judged.")
        return
    for name in facts["before"].keys() - GROWING:
        first, second = medians(facts["samples"], name)
        if second > first * 1.05 + 2:
            yield f"{name}: grown from {first:.0f} to {second:.0f}"


def kept(before, after):
    """What is not let go after the load."""
    return [
        f"{name}: {after[name]:.0f} after the load, {before[name]:.0f} before it"
        for name, more in RETURNING.items()
        if after[name] > before[name] + more
    ]
