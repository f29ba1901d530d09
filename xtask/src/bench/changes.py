"""Changes who is in a group of the directory, again and again, and times how long others take to see it.

Reads {"rounds": N, "warm_up": N, "person": NAME, "group": NAME, "group_dn": DN, "listen": [word, ...],
"modify": [word, ...]} and prints, in nanoseconds from ldapmodify's end, {"heard": [...], "published":
[...], "id": [...]}, and {"one_id": [...]} for how long one id(1) takes.

"heard" is when ldapsearch prints the change that listens for changes in the same way; "published" is when
the last file for nss-systemd was written; "id" is when an id(1) that shows the change has ended.
"""

import atexit
import json
import os
import random
import subprocess
import sys
import threading
import time

PUBLISHED = "/run/userdb"
LIMIT = 10.0
plan = json.load(sys.stdin)
person, group = plan["person"], plan["group"]
heard = []
stdbuf = ["stdbuf", "--output=L"]
listener = subprocess.Popen(stdbuf + plan["listen"], stdout=subprocess.PIPE, text=True)
# It would listen for ever, and hold what we were given to write to.
atexit.register(listener.kill)


def listen():
    for line in listener.stdout:
        if line.startswith("dn: "):
            heard.append(time.monotonic_ns())


def groups():
    shown = subprocess.run(["id", "-Gn", person], capture_output=True, text=True)
    if shown.returncode != 0:
        sys.exit(f"id: {shown.stderr}")
    return shown.stdout.split()


def wait_for(what, seen):
    deadline = time.monotonic() + LIMIT
    while not seen():
        if time.monotonic() > deadline:
            sys.exit(f"waited {LIMIT} s in vain for {what}")


def modify(change):
    ldif = f"dn: {plan['group_dn']}\nchangetype: modify\n{change}: memberUid\nmemberUid: {person}\n"
    subprocess.run(plan["modify"], input=ldif, text=True, check=True, stdout=subprocess.DEVNULL)


threading.Thread(target=listen, daemon=True).start()
wait_for("the listener", lambda: len(heard) == 1)
results = {"heard": [], "published": [], "id": [], "one_id": []}
for number in range(plan["warm_up"] + plan["rounds"]):
    time.sleep(random.uniform(0.05, 0.25))
    before = time.monotonic_ns()
    wanted = group not in groups()
    one_id = time.monotonic_ns() - before
    count = len(heard)

    modify("add" if wanted else "delete")
    begun, begun_wall = time.monotonic_ns(), time.time_ns()
    wait_for("id", lambda: (group in groups()) == wanted)
    shown = time.monotonic_ns() - begun
    wait_for("the listener", lambda: len(heard) > count)
    if number < plan["warm_up"]:
        continue
    results["id"].append(shown)
    results["one_id"].append(one_id)
    # What was there before ldapmodify had ended took no time.
    results["heard"].append(max(0, heard[count] - begun))
    written = os.stat(PUBLISHED).st_mtime_ns
    results["published"].append(max(0, written - begun_wall))

json.dump(results, sys.stdout)
