"""What one driver saw directly and past pgsteer, compared check by check."""

import dataclasses
import json
import os

_KEPT = f"{os.path.dirname(os.path.abspath(__file__))}/.cache/results"


def checks(lines):
    """{name: answer} of a program's lines; a suite's line "OUTCOME NAME" is a check with that answer."""
    found, name = {}, None
    for line in lines:
        if line.startswith("== "):
            name = line[3:]
            found[name] = []
        elif name is not None:
            found[name].append(line)
    return found


def tests(lines):
    """{name: [outcome]} of a suite's lines."""
    pairs = (line.split(" ", 1) for line in lines if " " in line and not line.startswith("!!"))
    return {name: [outcome] for outcome, name in pairs}


@dataclasses.dataclass
class Result:
    """One program of one driver: its answers directly, and past pgsteer by the setting's name."""
    driver: str
    program: str
    version: str
    direct: list = dataclasses.field(default_factory=list)
    unsteady: list = dataclasses.field(default_factory=list)
    past: dict = dataclasses.field(default_factory=dict)

    def read(self, lines):
        return tests(lines) if self.program == "suite" else checks(lines)

    def names(self):
        """The checks that count: those whose answer is the same twice without pgsteer and is no mishap."""
        return [name for name, answer in self.read(self.direct).items()
                if name not in self.unsteady and not is_mishap(self.program, answer)]

    def mishaps(self):
        """Checks that fail without pgsteer: the program is wrong, not the proxy."""
        return [name for name, answer in self.read(self.direct).items() if is_mishap(self.program, answer)]

    def changed(self, lines):
        """The checks whose answers in `lines` are not those given directly."""
        answers = self.read(lines)
        return [name for name, answer in self.read(self.direct).items() if answers.get(name) != answer]

    def different(self, setting):
        """The checks that count and differ in this setting."""
        changed = set(self.changed(self.past[setting]))
        return [name for name in self.names() if name in changed]

    def same_count(self):
        return sum(len(self.names()) - len(self.different(setting)) for setting in self.past)

    def different_count(self):
        """Differences; for our own programs also what cannot be compared, for that is a fault of theirs."""
        faults = len(self.mishaps()) + len(self.unsteady) if self.program == "exercise" else 0
        return faults + sum(len(self.different(setting)) for setting in self.past)


def is_mishap(program, answer):
    """Whether a check went wrong by itself."""
    if program == "suite":
        return answer[0] not in ("passed", "ok")
    return any(line.startswith("!!") for line in answer) or not answer


def show(result, differences):
    """Prints a result in a few lines."""
    count = len(result.names())
    print(f"{result.driver} {result.version} {result.program}: {count} checks", flush=True)
    if result.program == "exercise":
        for name in result.mishaps():
            print(f"  WRONG WITHOUT PGSTEER {name}: {result.read(result.direct)[name]}")
        for name in result.unsteady:
            print(f"  NOT THE SAME TWICE {name}")
    for setting in result.past:
        names = result.different(setting)
        print(f"  {setting}: {count - len(names)} of {count}")
        for name in names:
            print(f"    {name}")
            if differences:
                _show_difference(result.read(result.direct)[name], result.read(result.past[setting]).get(name))


def _show_difference(direct, past):
    if past is None:
        print("      (no answer)")
        return
    shown = 0
    for n in range(max(len(direct), len(past))):
        pair = [lines[n] if n < len(lines) else "(nothing)" for lines in (direct, past)]
        if pair[0] != pair[1] and shown < 3:
            shown += 1
            print(f"      direct  {pair[0][:300]}\n      pgsteer {pair[1][:300]}")


def keep(result):
    """Remembers a result for the document; settings that were not run keep their last one."""
    path = f"{_KEPT}/{result.driver}.{result.program}.json"
    os.makedirs(_KEPT, exist_ok=True)
    older = json.load(open(path))["past"] if os.path.exists(path) else {}
    with open(path, "w") as file:
        json.dump({**dataclasses.asdict(result), "past": {**older, **result.past}}, file)


def kept():
    """Every result remembered, by driver and program."""
    files = sorted(os.listdir(_KEPT)) if os.path.isdir(_KEPT) else []
    return [Result(**json.load(open(f"{_KEPT}/{name}"))) for name in files]
