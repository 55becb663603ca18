"""What the process holds at a moment."""

import urllib.request


def scrape(server):
    """The metrics, as name and labels → value."""
    with urllib.request.urlopen(server.url + "/metrics", timeout=15) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def held(server):
    seen = scrape(server)
    return {
        "memory, MB": server.memory_mb(),
        "descriptors": seen["process_open_fds"],
        "threads": seen["process_threads"],
        "tasks": seen["open_chat_background_tasks"],
        "limit keys": labelled(seen, "open_chat_rate_limit_keys"),
        "tokens kept": seen["open_chat_token_cache_entries"],
        "Redis away": seen["open_chat_redis_degraded"],
    }


def labelled(seen, family, **labels):
    """The sum of a family's series that have these labels."""
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    return sum(
        value for name, value in seen.items() if name.startswith(family + "{") and all(label in name for label in wanted)
    )


def by_label(seen, family):
    """The series of a family with one label: its value → the count."""
    return {name.split('"')[1]: int(value) for name, value in seen.items() if name.startswith(family + "{")}


def line(sample):
    return ", ".join(f"{name} {value:.0f}" for name, value in sample.items())
