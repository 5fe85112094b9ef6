"""Rows as of each boundary, the slow way: a second implementation to compare bookgrid's outputs with.

usage: unzip -p ARCHIVE | python3 snapshots.py DEPTH INTERVAL_MS [DATE] > ROWS.csv
"""
import csv
import json
import sys
from datetime import datetime, timezone
from decimal import Decimal

depth, interval = int(sys.argv[1]), int(sys.argv[2])
first, last = 0, float("inf")
if len(sys.argv) > 3:
    midnight = datetime.strptime(sys.argv[3], "%Y-%m-%d").replace(tzinfo=timezone.utc)
    first = int(midnight.timestamp()) * 1000 + interval
    last = first - interval + 86_400_000

out = csv.writer(sys.stdout)
out.writerow(
    ["timestamp"]
    + [f"{side}_{what}_{level}" for side in ("bid", "ask") for level in range(1, depth + 1) for what in ("price", "qty")]
)


def write(boundary):
    if not first <= boundary <= last:
        return
    row = [boundary]
    for side, descending in (("b", True), ("a", False)):
        best = sorted(book[side], reverse=descending)[:depth]
        row += [text for price in best for text in book[side][price]]
        row += [""] * 2 * (depth - len(best))
    out.writerow(row)


book, boundary = None, None
for line in sys.stdin:
    if not line.strip():
        continue
    message = json.loads(line)
    if message["type"] == "delta" and book is None:
        continue
    if boundary is None:
        boundary = -(-message["ts"] // interval) * interval
    while boundary < message["ts"]:
        write(boundary)
        boundary += interval
    if message["type"] == "snapshot":
        book = {"b": {}, "a": {}}
    for side in ("b", "a"):
        for price, quantity in message["data"][side]:
            if Decimal(quantity) == 0:
                book[side].pop(Decimal(price), None)
            else:
                book[side][Decimal(price)] = (price, quantity)
if boundary is not None:
    write(boundary)
