"""Times how long sessions with many processes take to end.

Reads {"counts": [N, ...], "rounds": N} from standard input and writes {"N": [nanoseconds, ...], ...}:
from when the command says that all are there, its last word, until the client is gone.
"""

import json
import subprocess
import sys
import time

plan = json.load(sys.stdin)
results = {}
for turn in range(plan["rounds"] + 1):
    for count in plan["counts"]:
        words = ["/usr/bin/elevate", "/opt/bench/processes", str(count)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        now = time.time_ns()
        if done.returncode != 0:
            sys.exit(f"{words} ended with {done.returncode}")
        if turn > 0:
            results.setdefault(str(count), []).append(now - int(done.stdout.split()[-1]))
json.dump(results, sys.stdout)
