#!/usr/bin/env python3
"""Counts relays, weight shares and uptime of groups, and who leads in what, from Onionoo documents.

    groups_count.py DETAILS.json UPTIME.json > groups_count.tsv

Written apart from the program, with the standard library only, from Onionoo's protocol and from `docs/methods.md`: a value times its
factor is a share; null is unknown and left out; a graph that ended before those of other relays, because the relay disappeared, goes
on: one interval of which nobody can tell how much was up, then intervals that are down unless no relay has a value for them; and it is
cut to its period before its new end. Relays seen in the 7 days before the newest consensus count.

Lines of groups: kind (as, country, domain, family), key, relays, running, weight share, mean uptime over 1 month, relays with a figure;
heaviest first, ten of each kind. Lines of leaderboards: board, category, place, operator, figure, relays; the first ten of each, then
how many are ranked. Documents without bandwidth and without checks of domains rank nobody in what needs them.
"""

import calendar
import hashlib
import ipaddress
import json
import re
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
MONTHS = {"1_month": 1, "6_months": 6, "1_year": 12, "5_years": 60}
PROOFS = {"uri-rsa", "dns-rsa", "uri-ed25519", "dns-ed25519", "uri-familyid-ed25519", "dns-familyid-ed25519"}
UNION = set("at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk eu".split())
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
# Contacts that strangers share.
NOBODY = {
    "0xffffffff random person <nobody at example dot com>", "random person <nobody at example dot com>",
    "random person <nobody@example.com>", "random person nobody@tor.org", "<nobody at example dot com>", "nobody at example dot com",
    "nobody@example.com", "nobody@tor.org", "your@e-mail", "your@email", "your email", "you@example.com", "my@mail", "x@x.com", "email",
    "e-mail", "none@none", "none@none.com", "none", "null", "<null>", "nobody", "noinfo", "no info", "n/a", "not available", "anonymous",
    "anon", "unknown", "unnamed", "redacted", "private", "disabled", "blank", "empty", "contact", "contactinfo", "admin", "abuse", "root",
    "tor", "test", "/dev/null", "0xffffffff",
}


def instant(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)


def months_before(at, months):
    count = at.year * 12 + at.month - 1 - months
    year, month = count // 12, count % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def starts_and_values(graph):
    step = timedelta(seconds=graph["interval"])
    start = instant(graph["first"]) - step / 2
    return [(start + i * step, None if value is None else value * graph["factor"]) for i, value in enumerate(graph["values"])]


class Uptimes:
    """Uptime of relays per period, with the hours that are known."""

    def __init__(self, document, newest):
        self.end = instant(document["relays_published"]) + HOUR
        self.newest = newest
        self.graphs = {relay["fingerprint"]: relay.get("uptime", {}) for relay in document["relays"]}
        self.reported = {period: self.starts_reported(period) for period in MONTHS}

    def starts_reported(self, period):
        graphs = (graphs.get(period) for graphs in self.graphs.values())
        return {start for graph in graphs if graph for start, value in starts_and_values(graph) if value is not None}

    def of(self, relay, period):
        """Share up and hours known, or None."""
        if period == "1_month" and instant(relay["first_seen"]) >= self.newest:
            return (1.0, 1.0) if relay["running"] else None
        graph = self.graphs.get(relay["fingerprint"], {}).get(period)
        if not graph:
            return None
        step, points = timedelta(seconds=graph["interval"]), starts_and_values(graph)
        if self.end - (points[-1][0] + step) >= step:
            points.append((points[-1][0] + step, None))
            while self.end - (points[-1][0] + step) >= step:
                start = points[-1][0] + step
                points.append((start, 0.0 if start in self.reported[period] else None))
            first = months_before(points[-1][0] + step, MONTHS[period])
            points = [(start, value) for start, value in points if start + step > first]
        known = [value for _, value in points if value is not None]
        return (sum(known) / len(known), len(known) * graph["interval"] / 3600) if known else None


def fields(contact):
    """Every key:value of a contact, the first of each key."""
    found = {}
    for word in re.split(r"[\s,;|<>\"()]+", contact):
        word = re.sub(r"^[\W_]+", "", word)
        if ":" in word:
            key, value = word.split(":", 1)
            found.setdefault(key.lower(), value)
    return found


def domain(url):
    host = re.split(r"[/?#:]", re.sub(r"^https?://", "", url, flags=re.I))[0].rstrip(".")
    if host.lower().startswith("www.") and "." in host[4:]:
        host = host[4:]
    try:
        host = host.encode("idna").decode().lower()
    except UnicodeError:
        return None
    labels = host.split(".")
    fits = len(labels) > 1 and all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels)
    return host if fits and len(host) <= 253 and re.search("[a-z]", labels[-1]) else None


def claimed(relay):
    """The domain of a complete claim."""
    found = fields(relay.get("contact") or "")
    if found.get("ciissversion") in ("2", "3") and found.get("proof", "").lower() in PROOFS and "url" in found:
        return domain(found["url"])
    return None


def identity(contact):
    """The contact as identities are compared; None where it identifies nobody."""
    plain = " ".join(re.sub(f"[\\s\\x00-\\x1f\\x7f-\\x9f{INVISIBLE}]+", " ", contact).lower().split())
    if "ciissversion:" in plain and fields(plain).get("email"):
        found = fields(plain)
        plain = f"email:{found['email'].replace('[at]', '[]').replace('@', '[]')} url:{found.get('url', '')}"
    return None if sum(c.isalnum() for c in plain) < 3 or plain in NOBODY else plain


def families(relays):
    """The smallest fingerprint of the family of each relay that has one."""
    by_fingerprint = {relay["fingerprint"]: relay for relay in relays}
    named = {f: {m.lstrip("$") for m in relay.get("effective_family", [])} - {f} for f, relay in by_fingerprint.items()}
    neighbours = defaultdict(set)
    for fingerprint, members in named.items():
        seen = instant(by_fingerprint[fingerprint]["last_seen"])
        for other in members & by_fingerprint.keys():
            if fingerprint in named[other] or instant(by_fingerprint[other]["last_seen"]) - seen > WEEK:
                neighbours[fingerprint].add(other)
                neighbours[other].add(fingerprint)
    family = {}
    for start in sorted(neighbours):
        todo = [] if start in family else [start]
        while todo:
            fingerprint = todo.pop()
            if fingerprint not in family:
                family[fingerprint] = start
                todo.extend(neighbours[fingerprint])
    return family


def operator(relay, family):
    """Kind and key, in the order in which equals follow each other. Nobody has proven a domain in these documents."""
    if relay["fingerprint"] in family:
        return ("family", family[relay["fingerprint"]])
    contact = identity(relay.get("contact") or "")
    # In the order of the alphabet `contact` comes first, but operators known by contact come last.
    return None if contact is None else ("~contact", hashlib.sha256(contact.encode()).hexdigest()[:32])


def platform(relay):
    words = (relay.get("platform") or "").partition(" on ")[2].split()
    return words[0] if words else None


def addresses(relays, version):
    hosts = (address.rsplit(":", 1)[0].strip("[]") for relay in relays for address in relay["or_addresses"])
    return len({ip for ip in map(ipaddress.ip_address, hosts) if ip.version == version})


def spread(kinds):
    """How many kinds with equal numbers would be as diverse."""
    counts = Counter(kind for kind in kinds if kind)
    return sum(counts.values()) ** 2 / sum(n * n for n in counts.values()) if counts else 0


def weight(relays):
    return sum(relay.get("consensus_weight", 0) for relay in relays)


def with_flag(relays, flag):
    return [relay for relay in relays if flag in relay["flags"] and not (flag == "Exit" and "BadExit" in relay["flags"])]


def reliability(relays, uptimes, period):
    if len(relays) < 25:
        return 0, 0
    known = [share for share in (uptimes.of(relay, period) for relay in relays) if share]
    if len(known) < 25:
        return 0, 0
    return sum(share * hours for share, hours in known) / sum(hours for _, hours in known), len(known)


def boards(current, operators, uptimes, newest):
    """Categories with the figure of an operator's current relays, and the relays that it rests on."""
    running = [relay for relay in current if relay["running"]]
    in_country = Counter(relay.get("country") for relay in running)
    rare = {country for country, n in in_country.items() if country and n < 10 and country not in ("eu", "ap", "a1", "a2")}

    def share(flag):
        whole = weight(with_flag(running, flag))
        return lambda _, up: (weight(with_flag(up, flag)) / whole, len(with_flag(up, flag)))

    def diverse(_, up):
        kinds = ([r.get("country") for r in up], [r.get("as") for r in up], [platform(r) for r in up])
        return (sum(map(spread, kinds)), len(up)) if len(up) >= 2 else (0, 0)

    def frontier(_, up):
        return len({r.get("country") for r in up} & rare), sum(r.get("country") in rare for r in up)

    def count(number):
        return lambda own, up: (number(up), number(up))

    return {
        "bandwidth": lambda _, up: (sum(r.get("observed_bandwidth") or 0 for r in up), len(up)),
        "consensus_weight": lambda _, up: (weight(up) / weight(running), len(up)),
        "exit_authority": share("Exit"),
        "guard_authority": share("Guard"),
        "exit_operators": count(lambda up: len(with_flag(up, "Exit"))),
        "guard_operators": count(lambda up: len(with_flag(up, "Guard"))),
        "reliability_masters": lambda own, _: reliability(own, uptimes, "6_months"),
        "legacy_titans": lambda own, _: reliability(own, uptimes, "5_years"),
        "bandwidth_masters": lambda own, up: (0, 0),
        "bandwidth_legends": lambda own, up: (0, 0),
        "most_diverse": diverse,
        "platform_diversity": count(lambda up: sum(platform(r) not in (None, "Linux") for r in up)),
        "non_eu_leaders": count(lambda up: sum(bool(r.get("country")) and r["country"] not in UNION for r in up)),
        "frontier_builders": frontier,
        "network_veterans": lambda own, _: ((newest + HOUR - min(instant(r["first_seen"]) for r in own)) // timedelta(days=1), len(own)),
        "ipv4_leaders": count(lambda up: addresses(up, 4)),
        "ipv6_leaders": count(lambda up: addresses(up, 6)),
        "validated_relays": lambda own, up: (0, 0),
        "total_data_champions": lambda own, up: (0, 0),
    }


def tell_groups(kind, groups, total, uptimes):
    heaviest = sorted(groups, key=lambda key: (-weight(r for r in groups[key] if r["running"]), key))
    for key in heaviest[:10]:
        running = [relay for relay in groups[key] if relay["running"]]
        shares = [share[0] for share in (uptimes.of(relay, "1_month") for relay in groups[key]) if share]
        mean = sum(shares) / len(shares)
        print(kind, key, len(groups[key]), len(running), f"{weight(running) / total:.9f}", f"{mean:.6f}", len(shares), sep="\t")


def tell_boards(found, operators):
    for name, figure in found.items():
        ranked = []
        for key, own in operators.items():
            score, n = figure(own, [relay for relay in own if relay["running"]])
            if score > 0:
                ranked.append((-score, key, n))
        ranked.sort()
        for i, (score, (kind, key), n) in enumerate(ranked[:10]):
            place = 1 + sum(other < score for other, _, _ in ranked[:i])
            print("board", name, place, f"{kind.strip('~')}-{key}", f"{-score:.9f}", n, sep="\t")
        print("board", name, "ranked", len(ranked), sep="\t")


def main(details, uptimes):
    with open(details) as file:
        details = json.load(file)
    with open(uptimes) as file:
        uptimes = json.load(file)
    newest = instant(details["relays_published"])
    uptimes = Uptimes(uptimes, newest)
    family = families(details["relays"])
    current = [relay for relay in details["relays"] if newest - instant(relay["last_seen"]) <= WEEK]
    total = weight(relay for relay in current if relay["running"])
    keys = {
        "as": lambda relay: relay.get("as"),
        "country": lambda relay: relay.get("country"),
        "domain": claimed,
        "family": lambda relay: family.get(relay["fingerprint"]),
        "operator": lambda relay: operator(relay, family),
    }
    for kind, key in keys.items():
        groups = defaultdict(list)
        for relay in current:
            if key(relay):
                groups[key(relay)].append(relay)
        if kind == "operator":
            tell_boards(boards(current, groups, uptimes, newest), groups)
        else:
            tell_groups(kind, groups, total, uptimes)


main(*sys.argv[1:])
