"""A recorded history of sessions that write and read, and what can be proven from it afterwards.

Objects are lists: each write appends a number nobody else uses, and keeps the number as the object's register.
A list that is read whole says exactly which state was seen, and the list that is there at the end, the
*survivors*, gives every write its place. Pure: no server, no clock.
"""

import dataclasses
import json


# Acknowledged before it is safe: a crash of the primary may take it, as the writer chose.
MAY_BE_LOST = "an asynchronous commit"


@dataclasses.dataclass
class Operation:
    """One write or read of one session. Times are of one clock."""

    session: str
    index: int  # in its session
    kind: str  # "write" or "read"
    key: str
    how: str  # the statement's shape, for the reader of a report
    started: float
    ended: float = 0.0
    outcome: str = "unknown"  # ok, failed (certainly without effect), unknown
    number: int = 0  # of a write
    seen: tuple = ()  # of a read: the whole list, or only its last number where it is a register
    is_register: bool = False

    def __str__(self):
        what = f"writes {self.number}" if self.kind == "write" else f"reads {self.shown()}"
        return (f"[{self.started:9.4f} .. {self.ended:9.4f}] {self.session} #{self.index}"
                f" {what} at {self.key} by {self.how} ({self.outcome})")

    def shown(self):
        if self.is_register:
            return str(self.seen[-1]) if self.seen else "nothing"
        return f"{len(self.seen)} items" + (f" ending in {self.seen[-1]}" if self.seen else "")


@dataclasses.dataclass
class Violation:
    """What a session read although it must have seen more, and why it must."""

    promise: str
    read: Operation
    saw: int  # the length of the list that was seen
    needed: int
    why: list  # operations from what was seen first to the last one before the read

    @property
    def size(self):
        """Short ones are the best to look at: few steps, then little time between them."""
        return len(self.why), self.read.started - self.why[0].ended

    def __str__(self):
        steps = "\n".join(f"  {step}" for step in [*self.why, self.read])
        return f"{self.promise}: version {self.saw} of {self.read.key} seen, at least {self.needed} needed\n{steps}"


@dataclasses.dataclass
class Verdict:
    violations: list
    lost: list  # acknowledged writes that did not survive
    doubled: list  # numbers that are there twice
    reads: int = 0
    writes: int = 0
    unknown: int = 0  # writes whose outcome their session was not told

    def shortest(self):
        return min(self.violations, key=lambda v: v.size)

    def summary(self):
        return (f"{self.writes} writes acknowledged, {self.unknown} of unknown outcome, {self.reads} reads;"
                f" {len(self.violations)} violations, {len(self.lost)} writes lost, {len(self.doubled)} applied twice")


def save(operations, path):
    """One operation a line, as JSON."""
    with open(path, "w") as file:
        for operation in operations:
            file.write(json.dumps(dataclasses.asdict(operation)) + "\n")


def load(path):
    with open(path) as file:
        return [Operation(**{**fields, "seen": tuple(fields["seen"])}) for fields in map(json.loads, file)]


def check(operations, survivors, is_global=False):
    """Proves what the level promises, or finds where it was broken.

    `survivors` is {key: [numbers in their order]} at the end, on the last primary. Read-your-writes, monotonic
    reads and writes-follow-reads are proven per session; with `is_global` also that a read sees each write that
    any session had acknowledged before the read began.
    """
    return _Checker(operations, survivors, is_global).run()


class _Need:
    """The version of one key that must be seen from now on, and the operations that made it so."""

    __slots__ = ("version", "promise", "why")

    def __init__(self, version, promise, why):
        self.version, self.promise, self.why = version, promise, why


class _Checker:
    def __init__(self, operations, survivors, is_global):
        self._operations = operations
        self._survivors = survivors
        self._is_global = is_global
        self._place = {number: place for numbers in survivors.values() for place, number in enumerate(numbers, 1)}
        # What a write's session had seen before it, by the write's number: whoever sees the write must see that.
        self._behind = {}
        self._told = {o.number: o.ended for o in operations if o.kind == "write" and o.outcome == "ok"}
        self._global = {}
        self._verdict = Verdict([], [], [])

    def run(self):
        self._count()
        needs = {}
        for moment, is_end, operation in self._moments():
            del moment
            mine = needs.setdefault(operation.session, {})
            if operation.kind == "write":
                self._write(operation, mine, is_end)
            elif operation.outcome == "ok":
                self._read(operation, mine, is_end)
        return self._verdict

    def _moments(self):
        """Starts and ends of all operations in the order of time; at the same time starts first, so that
        nothing is demanded of operations that may have overlapped."""
        moments = []
        for at, operation in enumerate(self._operations):
            moments.append((operation.started, 0, at))
            moments.append((operation.ended, 1, at))
        moments.sort()
        return ((when, is_end, self._operations[at]) for when, is_end, at in moments)

    def _count(self):
        verdict = self._verdict
        for numbers in self._survivors.values():
            verdict.doubled += sorted({number for number in numbers if numbers.count(number) > 1}
                                      if len(set(numbers)) < len(numbers) else ())
        for operation in self._operations:
            if operation.kind == "write" and operation.outcome == "ok":
                verdict.writes += 1
                if operation.number not in self._place and operation.how != MAY_BE_LOST:
                    verdict.lost.append(operation)
            elif operation.kind == "write" and operation.outcome == "unknown":
                verdict.unknown += 1
            elif operation.kind == "read" and operation.outcome == "ok":
                verdict.reads += 1

    def _write(self, operation, needs, is_end):
        if not is_end:
            self._behind[operation.number] = (operation, dict(needs))
            return
        version = self._place.get(operation.number)
        if operation.outcome != "ok" or version is None:
            return
        need = _Need(version, "read-your-writes", [operation])
        _raise(needs, operation.key, need)
        if self._is_global:
            _raise(self._global, operation.key, _Need(version, "global read-your-writes", [operation]))

    def _read(self, operation, needs, is_end):
        if not is_end:
            operation.demanded = dict(needs)
            if self._is_global:
                for key, need in self._global.items():
                    _raise(operation.demanded, key, need)
            return
        saw = self._version(operation)
        if saw is None:
            return
        need = operation.demanded.get(operation.key)
        if need and saw < need.version and self._is_acknowledged(operation, saw, need.version):
            self._verdict.violations.append(
                Violation(need.promise, operation, saw, need.version, need.why))
        self._learn(operation, saw, needs)

    def _is_acknowledged(self, operation, saw, needed):
        """A standby may show a commit before its own primary does, which shows it at the latest when it tells the
        writer: until then nobody is promised to see it again."""
        return any(self._told.get(number, operation.started) < operation.started
                   for number in self._survivors[operation.key][saw:needed])

    def _version(self, operation):
        """How much of what survives was seen; nothing where that cannot be told."""
        numbers = self._survivors.get(operation.key, [])
        if operation.is_register:
            return self._place.get(operation.seen[-1]) if operation.seen else 0
        same = 0
        for seen, number in zip(operation.seen, numbers):
            if seen != number:
                break
            same += 1
        return same

    def _learn(self, operation, saw, needs):
        """From now on the session must see what it has seen, and what the writers of that had seen."""
        if saw == 0:
            return
        known = needs.get(operation.key)
        first = known.version if known else 0
        for number in self._survivors[operation.key][first:saw]:
            write, behind = self._behind.get(number, (None, {}))
            for key, need in behind.items():
                _raise(needs, key, _Need(need.version, "writes-follow-reads", [*need.why, write, operation]))
        _raise(needs, operation.key, _Need(saw, "monotonic reads", [operation]))


def _raise(needs, key, need):
    known = needs.get(key)
    if known is None or known.version < need.version:
        needs[key] = need
