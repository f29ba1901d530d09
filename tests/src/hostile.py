# A client of elevated made by hand: it speaks D-Bus and the stream, and says whatever a test wants.
import array, os, re, select, signal, socket, struct, subprocess, sys, time

NAME, ROOT, MANAGER = "org.elevate.Elevated1", "/org/elevate/Elevated1", "org.elevate.Elevated1.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
ALIGNMENT = dict(y=1, b=4, n=2, q=2, i=4, u=4, x=8, t=8, h=4, s=4, o=4, g=1, v=1, a=4)
FORMATS = dict(y="B", b="I", n="h", q="H", i="i", u="I", x="q", t="Q", h="I")


class Refused(Exception):
    """A D-Bus error: its name without what all of ours begin with, and its text."""

    def __init__(self, name, text):
        super().__init__(f"{name}: {text}")
        self.name, self.text = name.removeprefix(NAME + ".Error."), text


def types(signature):
    """The complete types that a signature is made of."""
    found, start, depth = [], 0, 0
    for place, letter in enumerate(signature):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(letter, 0)
        if depth == 0 and letter != "a":
            found.append(signature[start:place + 1])
            start = place + 1
    return found


def put(out, kind, value):
    out.extend(bytes(-len(out) % ALIGNMENT.get(kind[0], 8)))
    if kind in FORMATS:
        out.extend(struct.pack("<" + FORMATS[kind], value))
    elif kind in ("s", "o", "g"):
        text = value if isinstance(value, bytes) else value.encode()
        out.extend(struct.pack("<B" if kind == "g" else "<I", len(text)) + text + b"\0")
    elif kind == "v":
        put(out, "g", value[0])
        put(out, *value)
    elif kind[0] == "a":
        length = len(out)
        out.extend(bytes(4))
        out.extend(bytes(-len(out) % ALIGNMENT.get(kind[1], 8)))
        begin = len(out)
        for item in value.items() if kind[1] == "{" else value:
            put(out, kind[1:], item)
        struct.pack_into("<I", out, length, len(out) - begin)
    else:
        for inner, item in zip(types(kind[1:-1]), value, strict=True):
            put(out, inner, item)


def get(data, at, kind):
    at += -at % ALIGNMENT.get(kind[0], 8)
    if kind in FORMATS:
        return struct.unpack_from("<" + FORMATS[kind], data, at)[0], at + struct.calcsize(FORMATS[kind])
    if kind in ("s", "o", "g"):
        wide = 1 if kind == "g" else 4
        end = at + wide + int.from_bytes(data[at:at + wide], "little")
        return data[at + wide:end].decode(), end + 1
    if kind == "v":
        kind, at = get(data, at, "g")
        return get(data, at, kind)
    if kind[0] == "a":
        end, at = get(data, at, "u")
        at += -at % ALIGNMENT.get(kind[1], 8)
        end, items = end + at, []
        while at < end:
            item, at = get(data, at, kind[1:])
            items.append(item)
        return (dict(items) if kind[1] == "{" else items), at
    items = []
    for inner in types(kind[1:-1]):
        item, at = get(data, at, inner)
        items.append(item)
    return tuple(items), at


class Bus:
    """A connection to the system bus."""

    def __init__(self):
        self.socket, self.serial, self.kept = socket.socket(socket.AF_UNIX), 0, []
        self.socket.connect("/run/dbus/system_bus_socket")
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert self.socket.recv(512).startswith(b"OK")
        self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
        assert self.socket.recv(512).startswith(b"AGREE")
        self.socket.sendall(b"BEGIN\r\n")
        self.call("Hello", destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
                  interface="org.freedesktop.DBus")

    def send(self, member, signature="", *values, destination=NAME, path=ROOT, interface=MANAGER):
        self.serial += 1
        body = bytearray()
        for kind, value in zip(types(signature), values, strict=True):
            put(body, kind, value)
        fields = [(1, ("o", path)), (2, ("s", interface)), (3, ("s", member)), (6, ("s", destination))]
        fields += [(8, ("g", signature))] if signature else []
        message = bytearray(struct.pack("<cBBBII", b"l", 1, 0, 1, len(body), self.serial))
        put(message, "a(yv)", fields)
        message.extend(bytes(-len(message) % 8))
        self.socket.sendall(message + body)
        return self.serial

    def receive(self):
        """One message: its type, its header's fields, its values, and the descriptors."""
        begin, fds = self._read(16), self.fds
        length, _, fields = struct.unpack_from("<III", begin, 4)
        head = begin + self._read(fields + -fields % 8)
        header = dict(get(head, 12, "a(yv)")[0])
        fds += self.fds
        body, at, values = self._read(length), 0, []
        for kind in types(header.get(8, "")):
            value, at = get(body, at, kind)
            values.append(value)
        return begin[1], header, values, fds + self.fds

    def _read(self, count):
        data, self.fds = b"", []
        while len(data) < count:
            more, extra, _, _ = self.socket.recvmsg(count - len(data), 4096)
            assert more, "the bus hung up"
            data += more
            for _, _, rights in extra:
                self.fds += array.array("i", rights)
        return data

    def call(self, member, signature="", *values, **where):
        serial = self.send(member, signature, *values, **where)
        while True:
            message = self.receive()
            kind, header, answer, fds = message
            if header.get(5) != serial:
                self.kept.append(message)
            elif kind == 3:
                raise Refused(header[4], answer[0] if answer else "")
            else:
                return answer + fds

    def signals(self, patience):
        """The signals of elevated's that come until nothing has come for `patience` seconds."""
        while select.select([self.socket], [], [], patience)[0]:
            self.kept.append(self.receive())
        heard = [(head[1], head[2], values) for kind, head, values, _ in self.kept if kind == 4]
        self.kept = []
        return [signal for signal in heard if signal[1].startswith(NAME)]


class Stream:
    """What follows a call of Elevate or Vote."""

    def __init__(self, descriptor):
        self.socket = socket.socket(fileno=descriptor)

    def say(self, kind, descriptors=(), **fields):
        words = [f'"{key}":"{value}"' for key, value in dict(type=kind, **fields).items()]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        self.socket.sendmsg([("{" + ",".join(words) + "}").encode()], rights if descriptors else [])

    def hear(self):
        """The next message; None when the other end is gone."""
        self.socket.settimeout(30)
        packet = self.socket.recv(1 << 17)
        if packet[:1] == b"{":
            return eval(packet, dict(null=None, true=True, false=False))
        return dict(type="data", channel=packet[:1], data=packet[1:]) if packet else None

    def prove(self):
        self.say("hello")
        self.say("proof", nonce=self.hear()["nonce"])

    def give(self, code):
        """The answer to the question for a code, which comes next."""
        assert self.hear()["type"] == "ask-code"
        self.say("code", text=code)

    def rest(self):
        """Everything until the other end is gone."""
        heard = []
        while (message := self.hear()) is not None:
            heard.append(message)
        return heard


def elevate(argv, bus=None, **ask):
    """Ask for a command: the request's id, and the stream."""
    ask["argv"] = ("aay", [word if isinstance(word, bytes) else word.encode() for word in argv])
    path, _, stream = (bus or Bus()).call("Elevate", "a{sv}", ask)
    return path.rsplit("/")[-1], Stream(stream)
