"""Counts what is wrong or odd in archives, as docs/audit.md defines it, with Python's own zipfile, gzip, json and Decimal.

    python3 audit.py FILE…

prints a JSON object a file: the fields of the event `day` of `bookgrid audit --format json` that one archive alone tells.
Everything of a file is kept in memory.
"""

import gzip
import json
import re
import sys
import zipfile
from datetime import datetime, timezone
from decimal import Decimal
from math import gcd

HOUR = 3_600_000
DAY = 24 * HOUR
DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")


def main(paths):
    for path in paths:
        print(json.dumps(audit(path)))


def read_text(path):
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            return archive.read(name)
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return file.read()


def parse(line):
    """The message of a line, or None."""
    try:
        message = json.loads(line)
        data = message["data"]
        levels = [level for side in "ba" for level in data[side]]
        right = message["type"] in ("snapshot", "delta") and isinstance(message["ts"], int)
        right = right and all(len(pair) == 2 and all(map(DECIMAL.fullmatch, pair)) for pair in levels)
        return message if right else None
    except (ValueError, KeyError, TypeError):
        return None


def audit(path):
    date, _, depth = path.split("/")[-1].split(".")[0].split("_")
    depth = int(depth[2:])
    day = int(datetime.fromisoformat(date).replace(tzinfo=timezone.utc).timestamp() * 1000)
    out = {"messages": 0, "snapshots": 0, "updates": 0, "earlyDeltas": 0, "badLines": 0, "outOfOrder": 0, "breaks": 0}
    out |= {"firstTsMs": None, "lastTsMs": None, "firstBadLine": None}
    ids = {"breaks": 0, "backward": 0, "missingMessages": 0, "rebases": 0, "breakList": [], "suspectMs": 0}
    book = {"snapshotList": [], "closingSnapshot": None, "updateIds": ids, "greatestStepBackMs": 0, "repeatedTs": 0}
    crossed = {"messages": 0, "times": 0, "ms": 0, "longestMs": 0, "firstMoment": None}
    absent = {"deletes": 0, "messages": 0, "firstMoment": None}
    bids, asks = {}, {}
    clock = previous_ts = previous_u = run_start = suspect_since = crossed_since = None
    silences, latencies, level_counts, hours = [], [], [], {}

    text = read_text(path)
    lines = text.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip(b" \t\r"):
            continue
        message = parse(line)
        if message is None:
            out["badLines"] += 1
            out["firstBadLine"] = out["firstBadLine"] or number
            if out["snapshots"] and suspect_since is None:
                suspect_since = clock
            continue
        ts, cts, is_snapshot, data = message["ts"], message.get("cts"), message["type"] == "snapshot", message["data"]
        u = data.get("u")
        out["messages"] += 1
        out["lastTsMs"] = ts
        if out["firstTsMs"] is None:
            out["firstTsMs"] = ts
        if not is_snapshot and not out["snapshots"]:
            out["earlyDeltas"] += 1
            continue
        out["snapshots"] += is_snapshot
        out["updates"] += len(data["b"]) + len(data["a"])

        if clock is not None and ts < clock:
            out["outOfOrder"] += 1
            book["greatestStepBackMs"] = max(book["greatestStepBackMs"], clock - ts)
        elif clock is not None and ts > clock:
            silences.append({"fromMs": clock, "ms": ts - clock})
        clock = ts if clock is None else max(clock, ts)
        book["repeatedTs"] += ts == previous_ts
        previous_ts = ts

        knows = previous_u is not None and u is not None
        if is_snapshot:
            follows = knows and u in (previous_u, previous_u + 1)
            if knows and not follows:
                ids["rebases"] += 1
            if suspect_since is not None:
                ids["suspectMs"] += clock - suspect_since
            suspect_since = None
            for found in ids["breakList"]:
                if found["untilSnapshotMs"] is None:
                    found["untilSnapshotMs"] = clock - found["moment"]
            book["snapshotList"].append({"tsMs": ts, "updateId": u})
            repeats = knows and u == previous_u
            book["closingSnapshot"] = {"tsMs": ts, "updateId": u, "repeats": repeats} if ts >= day + DAY else None
        else:
            follows = knows and u == previous_u + 1
            if knows and not follows:
                ids["breaks"] += 1
                missing = u - previous_u - 1 if u > previous_u else None
                ids["backward"] += missing is None
                ids["missingMessages"] += missing or 0
                ids["breakList"].append({"moment": clock, "missing": missing, "untilSnapshotMs": None})
                if suspect_since is None:
                    suspect_since = clock
        run_start = run_start if follows else u
        previous_u = u
        if cts is not None:
            latencies.append(ts - cts)

        if is_snapshot:
            bids, asks = {}, {}
        gone = 0
        prices, quantities = [], []
        for side, updates in ((bids, data["b"]), (asks, data["a"])):
            for price, quantity in updates:
                if Decimal(quantity) == 0:
                    gone += side.pop(Decimal(price), None) is None
                else:
                    side[Decimal(price)] = quantity
                    prices.append(price)
                    quantities.append(quantity)
        if gone and not is_snapshot:
            absent["deletes"] += gone
            absent["messages"] += 1
            absent["firstMoment"] = absent["firstMoment"] or clock
        level_counts.append((clock, len(bids), len(asks)))

        if bids and asks and max(bids) >= min(asks):
            crossed["messages"] += 1
            if crossed_since is None:
                crossed_since = clock
                crossed["times"] += 1
                crossed["firstMoment"] = crossed["firstMoment"] or clock
        elif crossed_since is not None:
            end_crossed(crossed, clock - crossed_since)
            crossed_since = None
        hour = hours.setdefault(clock // HOUR * HOUR, {"messages": 0, "updates": 0, "price": 0, "quantity": 0})
        hour["messages"] += 1
        hour["updates"] += len(data["b"]) + len(data["a"])
        for name, decimals in (("price", prices), ("quantity", quantities)):
            hour[name] = gcd(hour[name], *(int(Decimal(decimal).scaleb(18)) for decimal in decimals))

    if crossed_since is not None:
        end_crossed(crossed, clock - crossed_since)
    if suspect_since is not None:
        ids["suspectMs"] += clock - suspect_since
    out["breaks"] = ids["breaks"]
    ids |= {"last": previous_u, "runStart": run_start}
    off = [found for found in level_counts if found[1:] != (depth, depth)]
    book["levels"] = level_counts and {
        "messagesOff": len(off),
        "firstMoment": off[0][0] if off else None,
        "minBids": min(found[1] for found in level_counts),
        "maxBids": max(found[1] for found in level_counts),
        "minAsks": min(found[2] for found in level_counts),
        "maxAsks": max(found[2] for found in level_counts),
    }
    silences.sort(key=lambda silence: -silence["ms"])
    book |= {"silences": silences[:5], "latency": summarize(latencies), "crossed": crossed, "absentDeletes": absent}
    book["hours"] = [{"fromMs": hour, "messages": found["messages"]} for hour, found in hours.items()]
    book["steps"] = steps_of(hours)
    return out | {"textBytes": len(text), "book": book}


def end_crossed(crossed, ms):
    crossed["ms"] += ms
    crossed["longestMs"] = max(crossed["longestMs"], ms)


def summarize(latencies):
    if not latencies:
        return None
    ordered = sorted(latencies)
    count = len(ordered)
    return {
        "messages": count,
        "medianMs": ordered[(count + 1) // 2 - 1],
        "p99Ms": ordered[(count * 99 + 99) // 100 - 1],
        "minMs": ordered[0],
        "maxMs": ordered[-1],
        "negative": sum(ms < 0 for ms in ordered),
    }


def steps_of(hours):
    steps = {name: show(gcd(*(hour[name] for hour in hours.values()))) for name in ("price", "quantity")}
    changes = []
    before = {}
    for hour, found in hours.items():
        for name in ("price", "quantity"):
            if found["updates"] < 1000 or found[name] == 0:
                continue
            if before.get(name, found[name]) != found[name]:
                changes.append({"fromMs": hour, "of": name, "from": show(before[name]), "to": show(found[name])})
            before[name] = found[name]
    return steps | {"changes": changes}


def show(units):
    return None if units == 0 else f"{Decimal(units).scaleb(-18).normalize():f}"


main(sys.argv[1:])
