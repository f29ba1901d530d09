"""Times how long a whole directory takes to be known, beside ldapsearch of the same to a file, in turn.

Reads {"rounds": N, "people": N, "crowd": N, "policies": {NAME: TEXT}, "search": [word, ...]} and prints
{"ldapsearch": [nanoseconds...], "rss_before": [KiB...], and for each policy NAME: [nanoseconds...] and
"rss_NAME": [KiB...]}. Of the policies, "known" lets nobody of the crowd in, so that they are only known;
"published" lets all of them in, and the time is that until the last one is published.

"started" is until systemctl says that elevate-directory runs. Each time elevated begins with an empty store.
"""

import json
import os
import subprocess
import sys
import time

FOLDER, STORE = "/run/userdb", "/var/lib/elevate"
POLICY = "/etc/elevate/policy.d/bench.toml"
LIMIT = 200.0
# Each look costs what is measured some of its processor.
REST = 0.02
plan = json.load(sys.stdin)


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{words}: {done.stderr}")
    return done.stdout


def rss():
    pid = run("systemctl", "show", "--value", "--property=MainPID", "elevated").strip()
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Rss:"):
            return int(line.split()[1])


def begin_anew(policy):
    run("systemctl", "stop", "elevate-directory.service", "elevate-directory.socket", "elevated")
    for name in os.listdir(STORE):
        if name.startswith("state.db"):
            os.remove(f"{STORE}/{name}")
    for name in os.listdir(FOLDER):
        os.remove(f"{FOLDER}/{name}")
    with open(POLICY, "w") as file:
        file.write(policy)
    run("systemctl", "start", "elevated")
    status = json.loads(run("elevatectl", "directory", "status", "--json"))
    if status["people"] or status["admitted"]:
        sys.exit(f"it does not begin with an empty store: {status}")


def reached(people, admitted):
    status = json.loads(run("elevatectl", "directory", "status", "--json"))
    if status["refused"] and len(status["refused"]) > 1:
        sys.exit(f"people are refused: {status['refused'][:3]}")
    if status["people"] < people or status["admitted"] < admitted:
        return False
    # Each has a record, its private part with the key, and a link to each by uid.
    return not admitted or len(os.listdir(FOLDER)) >= 4 * admitted


def search():
    with open("/root/searched.ldif", "w") as file:
        begun = time.monotonic_ns()
        done = subprocess.run(plan["search"], stdout=file, stderr=subprocess.PIPE, text=True)
        took = time.monotonic_ns() - begun
    if done.returncode != 0:
        sys.exit(f"ldapsearch: {done.stderr}")
    found = sum(line.startswith("uidNumber: ") for line in open("/root/searched.ldif"))
    if found != plan["people"]:
        sys.exit(f"ldapsearch found {found} people")
    return took


def synchronise(admitted):
    begun = time.monotonic_ns()
    run("systemctl", "start", "elevate-directory")
    results["started"].append(time.monotonic_ns() - begun)
    while not reached(plan["people"], admitted):
        if time.monotonic_ns() - begun > LIMIT * 1e9:
            sys.exit(f"not everybody is known after {LIMIT} s")
        time.sleep(REST)
    return time.monotonic_ns() - begun


results = {"ldapsearch": [], "started": [], "rss_before": []}
search()
for number in range(plan["rounds"]):
    for name, policy in plan["policies"].items():
        begin_anew(policy)
        results["ldapsearch"].append(search())
        results["rss_before"].append(rss())
        admitted = plan["crowd"] if name == "published" else 0
        results.setdefault(name, []).append(synchronise(admitted))
        results.setdefault(f"rss_{name}", []).append(rss())
        if admitted:
            run("getent", "passwd", plan["last"])

json.dump(results, sys.stdout)
