"""Runs a program and says what it and its threads used, as JSON on file descriptor 3.

usage: python3 measure.py PROGRAM [ARGUMENT...] 3>USAGE.json
"""
import json
import os
import signal
import subprocess
import sys
import time

TIMEOUT_SECONDS = 3600

start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:])
for number in (signal.SIGALRM, signal.SIGTERM):
    signal.signal(number, lambda *_: child.kill())
signal.alarm(TIMEOUT_SECONDS)
_, status, usage = os.wait4(child.pid, 0)
measured = {
    "wallSeconds": time.perf_counter() - start,
    "cpuSeconds": usage.ru_utime + usage.ru_stime,
    # Kilobytes on Linux, bytes on macOS (getrusage(2) of each).
    "peakBytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
}
os.write(3, json.dumps(measured).encode())
# wait4 was not told to Popen, which would otherwise warn about a child that is still there.
child.returncode = 0
sys.exit(0 if status == 0 else 1)
