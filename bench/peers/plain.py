"""The job done the obvious way: json.loads, a dict a side, sorting for each row, all depths in one pass.

usage: python3 plain.py ARCHIVE DATE INTERVAL_MS DEPTH=OUTPUT.csv [DEPTH=OUTPUT.csv...]
"""
import csv
import json
import sys
import zipfile
from datetime import datetime, timezone

archive, date, interval = sys.argv[1], sys.argv[2], int(sys.argv[3])
midnight = int(datetime.fromisoformat(date).replace(tzinfo=timezone.utc).timestamp() * 1000)
outputs = []
for argument in sys.argv[4:]:
    depth, path = argument.split("=", 1)
    file = open(path, "w", newline="")
    outputs.append((int(depth), csv.writer(file), file))
for depth, writer, _ in outputs:
    numbers = range(1, depth + 1)
    writer.writerow(
        ["timestamp"]
        + [f"bid_{what}_{number}" for number in numbers for what in ("price", "qty")]
        + [f"ask_{what}_{number}" for number in numbers for what in ("price", "qty")]
    )


def write_rows(boundary):
    if not midnight < boundary <= midnight + 86_400_000:
        return
    sorted_bids = sorted(bids.items(), key=lambda level: float(level[0]), reverse=True)
    sorted_asks = sorted(asks.items(), key=lambda level: float(level[0]))
    for depth, writer, _ in outputs:
        row = [boundary]
        for levels in (sorted_bids, sorted_asks):
            best = levels[:depth]
            for level in best:
                row.extend(level)
            row.extend([""] * (2 * (depth - len(best))))
        writer.writerow(row)


def apply(book, updates):
    for price, quantity in updates:
        if float(quantity) == 0:
            book.pop(price, None)
        else:
            book[price] = quantity


bids, asks, boundary = None, None, None
with zipfile.ZipFile(archive) as zip_file, zip_file.open(zip_file.namelist()[0]) as lines:
    for line in lines:
        message = json.loads(line)
        ts, data = message["ts"], message["data"]
        if message["type"] == "snapshot":
            if boundary is None:
                boundary = -(-ts // interval) * interval
        elif bids is None:
            continue
        while boundary < ts:
            write_rows(boundary)
            boundary += interval
        if message["type"] == "snapshot":
            bids, asks = {}, {}
        apply(bids, data["b"])
        apply(asks, data["a"])
if boundary is not None:
    write_rows(boundary)
for _, _, file in outputs:
    file.close()
