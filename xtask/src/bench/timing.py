"""Times commands in turn: A, B, C, A, B, C, ...

Reads {"cases": [[word, ...], ...], "rounds": N, "warm_up": N} from the file named first and writes
to the file named second, for each case, either {"samples": [nanoseconds, ...]} or
{"failed": status}. A case that fails in the warm-up is left out of the rounds; one that fails later
spoils the run.
"""

import json
import os
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

for _ in range(plan["rounds"]):
    for argv, result in zip(cases, results):
        if "failed" in result:
            continue
        took, status = once(argv)
        if status != 0:
            sys.exit(f"{argv} ended with {status}")
        result["samples"].append(took)

with open(sys.argv[2], "w") as out:
    json.dump(results, out)
