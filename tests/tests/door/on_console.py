"""Runs a command on a virtual console that is the kernel's, and types at it.

Arguments: NUMBER WAIT=TYPE... -- COMMAND...
Each TYPE is typed, with Return, once WAIT is on the screen below what earlier ones waited for. A last
word without "=" is only waited for: then the terminal is hung up. In the end everything that was on the
screen is printed, and the exit status is the command's.
"""
import fcntl, os, signal, sys, time

VT_DISALLOCATE, TIOCSTI = 0x5608, 0x5412
number, *words = sys.argv[1:]
steps, command = words[:words.index("--")], words[words.index("--") + 1:]
console = f"/dev/tty{number}"
for path, major, minor in ("/dev/tty0", 4, 0), (console, 4, int(number)), (f"/dev/vcs{number}", 7, int(number)):
    if not os.path.exists(path):
        os.mknod(path, 0o600 | 0o020000, os.makedev(major, minor))

# Clear of what stood there before anybody looks at it.
cleared = os.open(console, os.O_RDWR | os.O_NOCTTY)
os.write(cleared, b"\033c")
child = os.fork()
if child == 0:
    os.setsid()
    terminal = os.open(console, os.O_RDWR)  # A session's first terminal is its controlling one.
    for stream in 0, 1, 2:
        os.dup2(terminal, stream)
    os.execvp(command[0], command)
os.close(cleared)


def screen():
    try:
        with open(f"/dev/vcs{number}", "rb") as shown:
            return shown.read().decode("latin-1")
    except OSError:
        return ""


def type_in(line):
    # Opened anew each time: login(1) hangs the terminal up.
    terminal = os.open(console, os.O_RDWR | os.O_NOCTTY)
    for byte in line.encode() + b"\n":
        fcntl.ioctl(terminal, TIOCSTI, bytes([byte]))
    os.close(terminal)


seen, status, deadline = 0, None, time.monotonic() + 40
for step in steps:
    wait, _, line = step.partition("=")
    while status is None and (found := screen().find(wait, seen)) < 0:
        assert time.monotonic() < deadline, f"{wait!r} never came on {' '.join(screen().split())!r}"
        ended, status = os.waitpid(child, os.WNOHANG)
        status = status if ended else None
        time.sleep(0.02)
    if status is not None:
        break
    seen = found + len(wait)
    if "=" in step:
        type_in(line)
    else:
        os.kill(child, signal.SIGKILL)
if status is None:
    status = os.waitpid(child, 0)[1]
print(" ".join(screen().split()))
with open("/dev/tty0", "rb") as consoles:
    fcntl.ioctl(consoles, VT_DISALLOCATE, int(number))
sys.exit(os.waitstatus_to_exitcode(status) & 0xff)
