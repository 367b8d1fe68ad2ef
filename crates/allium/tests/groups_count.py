#!/usr/bin/env python3
"""Counts relays, weight shares and uptime by autonomous system and by country from Onionoo documents.

    groups_count.py DETAILS.json UPTIME.json > groups_count.tsv

Written apart from the program, with the standard library only, from Onionoo's protocol: a value times its factor is a share; null is
unknown and left out; a graph that ended before those of other relays, because the relay disappeared, goes on: one interval of which
nobody can tell how much was up, then intervals that are down unless no relay has a value for them; and it is cut to one month before
its new end. Relays seen in the 7 days before the newest consensus count. Lines: kind,
key, relays, running, weight share, mean uptime over 1 month, relays with a figure; heaviest first, ten of each kind.
"""

import calendar
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone

HOUR = timedelta(hours=1)


def instant(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)


def month_before(at):
    year, month = (at.year, at.month - 1) if at.month > 1 else (at.year - 1, 12)
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def starts_and_values(graph):
    step = timedelta(seconds=graph["interval"])
    start = instant(graph["first"]) - step / 2
    return [(start + i * step, None if value is None else value * graph["factor"]) for i, value in enumerate(graph["values"])]


def uptime(graph, end, told):
    """Mean over one month up to `end`; `told` are the starts of intervals for which some relay has a value."""
    step = timedelta(seconds=graph["interval"])
    points = starts_and_values(graph)
    is_frozen = end - (points[-1][0] + step) >= step
    if is_frozen:
        points.append((points[-1][0] + step, None))
        while end - (points[-1][0] + step) >= step:
            start = points[-1][0] + step
            points.append((start, 0.0 if start in told else None))
        first = month_before(points[-1][0] + step)
        points = [(start, value) for start, value in points if start + step > first]
    known = [value for _, value in points if value is not None]
    return sum(known) / len(known) if known else None


def main(details, uptimes):
    with open(details) as file:
        details = json.load(file)
    with open(uptimes) as file:
        uptimes = json.load(file)
    newest = instant(details["relays_published"])
    end = instant(uptimes["relays_published"]) + HOUR
    month = {relay["fingerprint"]: relay.get("uptime", {}).get("1_month") for relay in uptimes["relays"]}
    told = {start for graph in month.values() if graph for start, value in starts_and_values(graph) if value is not None}
    current = [relay for relay in details["relays"] if newest - instant(relay["last_seen"]) <= timedelta(days=7)]
    total = sum(relay.get("consensus_weight", 0) for relay in current if relay["running"])
    for kind in ("as", "country"):
        groups = defaultdict(list)
        for relay in current:
            if relay.get(kind):
                groups[relay[kind]].append(relay)
        weight = {key: sum(r.get("consensus_weight", 0) for r in relays if r["running"]) for key, relays in groups.items()}
        for key in sorted(groups, key=lambda key: (-weight[key], key))[:10]:
            graphs = [month.get(relay["fingerprint"]) for relay in groups[key]]
            shares = [uptime(graph, end, told) for graph in graphs if graph]
            shares = [share for share in shares if share is not None]
            mean = sum(shares) / len(shares)
            running = sum(relay["running"] for relay in groups[key])
            print(kind, key, len(groups[key]), running, f"{weight[key] / total:.9f}", f"{mean:.6f}", len(shares), sep="\t")


main(*sys.argv[1:])
