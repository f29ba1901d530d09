"""Times commands that do much, in turn: each to its end, its output read to the last byte.

Reads {"cases": [{"argv": [word, ...], "pty": bool}, ...], "rounds": N} from the file named first
and writes [[nanoseconds, ...], ...] to the file named second. A command that fails, or whose output
is shorter than another's of the same case, spoils the run.
"""

import json
import os
import sys
import time

plan = json.load(open(sys.argv[1]))


def run(argv, terminal):
    begun = time.perf_counter_ns()
    if terminal:
        pid, source = os.forkpty()
    else:
        source, sink = os.pipe()
        pid = os.fork()
    if pid == 0:
        if not terminal:
            os.dup2(sink, 1)
            os.close(source)
            os.close(sink)
        os.execv(argv[0], argv)
    if not terminal:
        os.close(sink)
    total = 0
    while True:
        try:
            read = len(os.read(source, 1 << 16))
        except OSError:
            read = 0
        if read == 0:
            break
        total += read
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    took = time.perf_counter_ns() - begun
    os.close(source)
    if status != 0:
        sys.exit(f"{argv} ended with {status}")
    return took, total


results = [[] for _ in plan["cases"]]
lengths = {}
for turn in range(plan["rounds"] + 1):
    for case, result in zip(plan["cases"], results):
        took, total = run(case["argv"], case["pty"])
        wanted = lengths.setdefault(case["length"], total)
        if total != wanted:
            sys.exit(f"{case['argv']} showed {total} bytes, and another {wanted}")
        if turn > 0:
            result.append(took)
with open(sys.argv[2], "w") as out:
    json.dump(results, out)
