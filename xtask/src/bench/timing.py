"""Times commands in turn, each round in another order.

Reads {"cases": [[word, ...], ...], "rounds": N, "warm_up": N, "rest": SECONDS} from the file named
first and writes to the file named second, for each case, either {"samples": [nanoseconds, ...]} or
{"failed": status}. A case that fails in the warm-up is left out of the rounds; one that fails later
spoils the run.

What a command leaves for daemons to do afterwards has the rest to be done, so that it is not
counted for the next one; and each begins, as when a person types it, on a machine at rest.
"""

import json
import os
import random
import sys
import time

plan = json.load(open(sys.argv[1]))
cases = plan["cases"]


def once(argv):
    begun = time.perf_counter_ns()
    pid = os.posix_spawn(argv[0], argv, os.environ)
    _, status = os.waitpid(pid, 0)
    return time.perf_counter_ns() - begun, os.waitstatus_to_exitcode(status)


results = [{"samples": []} for _ in cases]
for number, argv in enumerate(cases):
    for _ in range(plan["warm_up"]):
        try:
            status = once(argv)[1]
        except FileNotFoundError:
            status = 127
        if status != 0:
            results[number] = {"failed": status}
            break

turns = [pair for pair in zip(cases, results) if "failed" not in pair[1]]
for _ in range(plan["rounds"]):
    random.shuffle(turns)
    for argv, result in turns:
        time.sleep(plan["rest"])
        took, status = once(argv)
        if status != 0:
            sys.exit(f"{argv} ended with {status}")
        result["samples"].append(took)

with open(sys.argv[2], "w") as out:
    json.dump(results, out)
