"""Metrics by the definition in docs/metrics.md, the slow way: a second implementation to compare bookgrid's with.

usage: unzip -p ARCHIVE | python3 metrics.py INTERVAL_MS LEVELS,… BPS,… IMPACT,… [DATE] > METRICS.csv
"""
import csv
import json
import sys
from bisect import bisect_left
from datetime import datetime, timezone
from decimal import Decimal
from math import fsum

interval = int(sys.argv[1])
imbalances, bands = ([int(number) for number in argument.split(",")] for argument in sys.argv[2:4])
impacts = sys.argv[4].split(",") if sys.argv[4] else []
first, last = 0, float("inf")
if len(sys.argv) > 5:
    midnight = datetime.strptime(sys.argv[5], "%Y-%m-%d").replace(tzinfo=timezone.utc)
    first = int(midnight.timestamp()) * 1000 + interval
    last = first - interval + 86_400_000


class Side:
    """The levels of a side as (price, quantity), both float; `sign` is -1 where the highest price is the best."""

    def __init__(self, sign):
        self.sign, self.keys, self.levels = sign, [], []

    def set(self, price, quantity):
        key = self.sign * Decimal(price)
        index = bisect_left(self.keys, key)
        if index < len(self.keys) and self.keys[index] == key:
            del self.keys[index], self.levels[index]
        if Decimal(quantity) != 0:
            self.keys.insert(index, key)
            self.levels.insert(index, (float(price), float(quantity)))


def ratio(numerator, denominator):
    if numerator is None or denominator is None or denominator == 0:
        return None
    return numerator / denominator


def mid(bids, asks):
    return (bids[0][0] + asks[0][0]) / 2 if bids and asks else None


def spread_bps(bids, asks):
    share = ratio(asks[0][0] - bids[0][0], mid(bids, asks)) if bids and asks else None
    return None if share is None else share * 1e4


def imbalance(bids, asks, count):
    bid, ask = (sum(quantity for _, quantity in side[:count]) for side in (bids, asks))
    return ratio(bid - ask, bid + ask)


def average_price(levels, amount):
    notional = filled = 0.0
    for price, quantity in levels:
        if notional + price * quantity >= amount:
            return amount / (filled + (amount - notional) / price)
        notional += price * quantity
        filled += quantity
    return None


def of_book(bids, asks):
    middle = mid(bids, asks)
    (bid, bid_quantity), (ask, ask_quantity) = (side[0] if side else (None, None) for side in (bids, asks))
    row = {"best_bid": bid, "best_bid_qty": bid_quantity, "best_ask": ask, "best_ask_qty": ask_quantity, "mid": middle}
    row["microprice"] = row["spread"] = None
    if middle is not None:
        row["microprice"] = ratio(bid * ask_quantity + ask * bid_quantity, bid_quantity + ask_quantity)
        row["spread"] = ask - bid
    row["spread_bps"] = spread_bps(bids, asks)
    row["bid_levels"], row["ask_levels"] = len(bids), len(asks)
    for count in imbalances:
        row[f"imbalance_{count}"] = imbalance(bids, asks, count)
    for count in (5, 20):
        for name, levels in (("bid", bids[:count]), ("ask", asks[:count])):
            notional, quantity = sum(p * q for p, q in levels), sum(q for _, q in levels)
            row[f"vwap_{name}_{count}"] = ratio(notional, quantity)
    for x in bands:
        for name, levels, sign in (("bid", bids, -1), ("ask", asks, 1)):
            row[f"{name}_qty_{x}bps"] = row[f"{name}_notional_{x}bps"] = None
            if middle is not None:
                limit = middle * (1 + sign * x * 1e-4)
                band = [level for level in levels if sign * level[0] <= sign * limit]
                row[f"{name}_qty_{x}bps"] = sum(quantity for _, quantity in band)
                row[f"{name}_notional_{x}bps"] = sum(price * quantity for price, quantity in band)
    for amount in impacts:
        for name, levels, sign in (("buy", asks, 1), ("sell", bids, -1)):
            average = average_price(levels, float(amount))
            share = None
            if average is not None and middle is not None:
                share = ratio(sign * (average - middle), middle)
            row[f"{name}_impact_{amount}_bps"] = None if share is None else share * 1e4
    return row


def flow_between(before, now):
    """Order flow imbalance of one message; a side is its best (price, quantity), or None when it is empty."""
    flow = 0.0
    for side, sign in (("best_bid", 1), ("best_ask", -1)):
        old, new = before[side], now[side]
        gone = old is not None and (new is None or sign * new[0] <= sign * old[0])
        come = new is not None and (old is None or sign * new[0] >= sign * old[0])
        flow += sign * ((new[1] if come else 0.0) - (old[1] if gone else 0.0))
    return flow


def of_interval(end):
    """What `states` says of (end - interval, end]."""
    start = end - interval
    inside = [state for state in states if state["ts"] > start]
    before = [state for state in states if state["ts"] <= start]
    # The books that held, and for how long: the last one of each millisecond.
    held = {start: before[-1]} if before else {}
    held.update((state["ts"], state) for state in inside)
    ends = list(held)[1:] + [end]
    spans = [(state, until - since) for (since, state), until in zip(held.items(), ends)]
    now = states[-1]

    def average(name):
        known = [(state[name], ms) for state, ms in spans if state[name] is not None]
        weight = sum(ms for _, ms in known)
        return fsum(value * ms for value, ms in known) / weight if weight else now[name]

    mids = [state["mid"] for state, _ in spans if state["mid"] is not None]
    return {
        "messages": len(inside),
        "updates": sum(state["updates"] for state in inside),
        "ofi": sum(state["flow"] for state in inside),
        "mid_open": mids[0] if mids else None,
        "mid_high": max(mids, default=None),
        "mid_low": min(mids, default=None),
        "mid_close": now["mid"],
        "mid_twap": average("mid"),
        "spread_bps_twap": average("spread_bps"),
        "imbalance_5_twap": average("imbalance_5"),
    }


def write(boundary):
    if first <= boundary <= last:
        row = {"timestamp": boundary, **of_book(bids.levels, asks.levels), **of_interval(boundary)}
        if out.fieldnames is None:
            out.fieldnames = list(row)
            out.writeheader()
        out.writerow(row)
    del states[:-1]  # the book that the next interval begins with


out = csv.DictWriter(sys.stdout, None)
bids, asks = None, None
boundary, latest = None, 0
states = []  # after each message of the interval, and the one carried in
for line in sys.stdin:
    if not line.strip():
        continue
    message = json.loads(line)
    if message["type"] == "delta" and bids is None:
        continue
    latest = max(latest, message["ts"])
    if boundary is None:
        boundary = -(-latest // interval) * interval
    while boundary < latest:
        write(boundary)
        boundary += interval
    if message["type"] == "snapshot":
        bids, asks = Side(-1), Side(1)
    for side, updates in ((bids, message["data"]["b"]), (asks, message["data"]["a"])):
        for price, quantity in updates:
            side.set(price, quantity)
    best = bids.levels[:5], asks.levels[:5]
    state = {"ts": latest, "mid": mid(*best), "spread_bps": spread_bps(*best), "imbalance_5": imbalance(*best, 5)}
    state["best_bid"], state["best_ask"] = (side.levels[0] if side.levels else None for side in (bids, asks))
    # The book before is the last one there is, also that of an interval that has been written.
    state["flow"] = flow_between(states[-1], state) if states else 0.0
    states.append({**state, "updates": len(message["data"]["b"]) + len(message["data"]["a"])})
if boundary is not None:
    write(boundary)
