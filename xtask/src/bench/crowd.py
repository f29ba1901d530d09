"""Many sessions at once.

crowd.py begin N     as a user: waits for the word, starts N sessions, and prints when the last of them
                     is gone (nanoseconds since 1970), and how many failed
crowd.py conduct N   as root: gives the word, and prints how many nanoseconds later N commands run
crowd.py release     as root: prints when it lets all commands end
"""

import os
import subprocess
import sys
import time

GO, GATE, BEGUN = "/run/bench/go", "/run/bench/gate", "/run/bench/begun"


def begin(count):
    print("ready", flush=True)
    open(GO).read()
    words = ["/usr/bin/elevate", "/opt/bench/wait"]
    nothing = subprocess.DEVNULL
    begun = [subprocess.Popen(words, stdin=nothing, stdout=nothing) for _ in range(count)]
    failed = sum(process.wait() != 0 for process in begun)
    print(time.time_ns(), failed)


def conduct(count):
    with open(GO, "w"):
        begun = time.perf_counter_ns()
    while os.stat(BEGUN).st_size < count:
        time.sleep(0.001)
    print(time.perf_counter_ns() - begun)


def release():
    with open(GATE, "w"):
        print(time.time_ns())


{"begin": begin, "conduct": conduct, "release": release}[sys.argv[1]](*map(int, sys.argv[2:]))
