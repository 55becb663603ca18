#!/usr/bin/env python3
"""A morning, simulated: how many clicks wait or are refused while all agents begin work, because
ChatHub takes only so many requests a second.

python3 tools/capacity.py [--agents N] [--rush MINUTES] [--clicks PER_HOUR] [--replicas N]
                          [--sticky] [--reuse MINUTES] [--ttl MINUTES] [--rate PER_SECOND]
python3 tools/capacity.py --report

Without arguments: the table of docs/performance.md, and with `--report` into it. The model is
src/tokens/mod.rs and crates/chathub/src/rate_limiter.rs in short: a token is handed out while it
has five minutes left, and refreshed behind a click that comes after its time of reuse; each replica
keeps tokens and an even pace of its own, with a second's worth at once after a pause; a click that
could not be served within its budget is refused, and the agent tries again half a minute later.
"""

import argparse
import heapq
import pathlib
import random
import sys

sys.path.append(str(pathlib.Path(__file__).parent / "bench"))
import page

BUDGET = 5 * 0.95
MINT = 0.1
LEAST_LEFT = 300
REFRESH_AGAIN = 10
TRY_AGAIN = 30
HEAD = ["agents", "rush", "replicas", "sticky", "`TOKEN_REUSE`", "`TOKEN_TTL`", "clicks/s", "warm", "mints/s", "cold p99", "refused"]
SCENES = [
    # agents, minutes of the rush, replicas, whether an agent always meets the same one, TOKEN_REUSE
    # and TOKEN_TTL in minutes
    (10, 15, 2, False, 5, 60),
    (1_000, 15, 2, False, 5, 60),
    (10_000, 15, 2, False, 5, 60),
    (10_000, 5, 2, False, 5, 60),
    (10_000, 5, 2, True, 5, 60),
    (100_000, 60, 4, False, 5, 60),
    (100_000, 60, 4, True, 5, 60),
    (100_000, 60, 4, True, 50, 60),
    (100_000, 60, 4, True, 600, 660),
]


def morning(agents, rush, clicks, replicas, is_sticky, reuse, ttl, rate, hours=2):
    """What becomes of the clicks of the first hours of work."""
    chance = random.Random(agents + rush)
    pause = 3600 / clicks
    interval = replicas / rate
    free = [-1.0] * replicas
    tokens = [{} for _ in range(replicas)]
    refresh_after = [{} for _ in range(replicas)]
    events = [(chance.uniform(0, rush * 60), agent, False) for agent in range(agents)]
    heapq.heapify(events)
    total = warm = refused = mints = 0
    waits = []
    busiest = {}
    end = hours * 3600
    while events and events[0][0] < end:
        now, agent, is_again = heapq.heappop(events)
        place = agent % replicas if is_sticky else chance.randrange(replicas)
        minted = tokens[place].get(agent)
        usable = minted is not None and now < minted + ttl * 60 - LEAST_LEFT
        total += not is_again
        is_due = usable and now >= minted + reuse * 60 and now >= refresh_after[place].get(agent, 0)
        served = True
        if not usable or is_due:
            booked = max(free[place], now - 1) + interval
            if booked - now + MINT > BUDGET:
                served = usable
                if is_due:
                    refresh_after[place][agent] = now + REFRESH_AGAIN
            else:
                free[place] = booked
                start = max(booked, now)
                tokens[place][agent] = start + MINT
                mints += 1
                busiest[int(start)] = busiest.get(int(start), 0) + 1
                if not usable:
                    waits.append(start - now + MINT)
        if usable:
            warm += 1
        if served:
            heapq.heappush(events, (now + chance.expovariate(1 / pause), agent, False))
        else:
            refused += 1
            heapq.heappush(events, (now + TRY_AGAIN, agent, True))
    waits.sort()
    return {
        "clicks": total,
        "rate": total / end,
        "warm": warm / max(total, 1),
        "mints": mints / end,
        "busiest": max(busiest.values(), default=0),
        "wait": waits[int(len(waits) * 0.99)] if waits else 0.0,
        "refused": refused / max(total + refused, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--agents", type=int)
    parser.add_argument("--rush", type=float, default=15)
    parser.add_argument("--clicks", type=float, default=12)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--sticky", action="store_true", help="an agent always meets the same replica")
    parser.add_argument("--reuse", type=float, default=5)
    parser.add_argument("--ttl", type=float, default=60)
    parser.add_argument("--rate", type=float, default=40, help="of all replicas together: CHATHUB_MAX_RATE of each, times their number")
    parser.add_argument("--report", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    scenes = SCENES
    if options.agents:
        scenes = [(options.agents, options.rush, options.replicas, options.sticky, options.reuse, options.ttl)]
    rows = [cells_of(scene, morning(*scene[:2], options.clicks, *scene[2:], options.rate)) for scene in scenes]
    text = page.table(HEAD, rows)
    print(text)
    if options.report:
        page.write({"capacity": text})


def cells_of(scene, seen):
    agents, rush, replicas, sticky, reuse, ttl = scene
    return [
        f"{agents:,}", f"{rush:g} min", str(replicas), "yes" if sticky else "no", f"{reuse:g}m", f"{ttl:g}m", f"{seen['rate']:.2f}",
        f"{seen['warm'] * 100:.0f}%", f"{seen['mints']:.2f}", f"{seen['wait']:.2f} s", f"{seen['refused'] * 100:.2g}%",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
