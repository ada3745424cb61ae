"""The variable of a pause that grows: where it is set back, and whether it serves only the pause.

``delay = min(delay * 2, 60)`` and ``delay = 5`` are of no use any more once ``link.turn()`` waits;
they go only where every place that names the variable is known.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from modify.kit.python.source import Source, all_of, called, dotted, inside, names_in

# Functions without side effects that a pause may be computed with.
PLAIN_CALLS = ("min", "max", "int", "float", "round", "pow")


def resets_of(
    source: Source, loop: cst.CSTNode, numbers: list[cst.BaseExpression]
) -> Iterator[cst.SimpleStatementLine]:
    """``delay = 5`` in a loop whose pauses are these: after an open, or at each of its turns.

    Not after a failure (``except``), and not under a condition: that one may ask for how long
    the connection was open.
    """
    names = {name for number in numbers for name in variables_of(number)}
    for made in all_of(loop, cst.Assign):  # ``wait = min(5 * 2**tries, 300)``
        if any(dotted(target.target) in names for target in made.targets):
            names |= variables_of(made.value) if not is_fixed(made.value) else set()
    for line in all_of(loop, cst.SimpleStatementLine):
        for small in line.body:
            if not isinstance(small, cst.Assign) or not is_fixed(small.value):
                continue
            if not any(dotted(target.target) in names for target in small.targets):
                continue
            around = []
            for above in source.above(line):
                if above is loop:
                    break
                around.append(above)
            if not any(isinstance(above, (cst.If, cst.ExceptHandler)) for above in around):
                yield line


def variables_of(number: cst.BaseExpression) -> set[str]:
    """``delay``, ``self._delay``: the variables that a pause is computed from."""
    whole = dotted(number)
    if whole:
        return {whole}
    found = set()
    for node in inside(number):
        if isinstance(node, cst.Call) and called(node) not in PLAIN_CALLS:
            continue
        name = dotted(node)
        if name and name not in PLAIN_CALLS:
            found.add(name)
    return found


def is_fixed(value: cst.BaseExpression) -> bool:
    """A number, or a name in capitals or of the settings."""
    if isinstance(value, (cst.Integer, cst.Float)):
        return True
    return bool(dotted(value))


def spent(
    source: Source,
    function: cst.FunctionDef,
    numbers: list[cst.BaseExpression],
    told: list[cst.CSTNode],
) -> list[cst.SimpleStatementLine]:
    """Assignments made dead by removing these pauses; [] if any is uncertain.

    told: nodes of log lines that are rewritten, too.
    """
    names = {name for number in numbers for name in names_in(number)} - set(PLAIN_CALLS)
    names |= {number.value for number in numbers if isinstance(number, cst.Name)}
    if not names or any("." in name for number in numbers for name in variables_of(number)):
        return []
    parameters = {item.name.value for item in function.params.params}
    if names & parameters:
        return []
    lines = []
    for line in all_of(function, cst.SimpleStatementLine):
        if len(line.body) == 1 and assigns_only(line.body[0], names):
            lines.append(line)
    kept = [*lines, *numbers, *told]
    for node in all_of(function, cst.Name, functions=True):
        if node.value in names and not any(source.is_within(node, part) for part in kept):
            return []
    return lines


def assigns_only(small: cst.BaseSmallStatement, names: set[str]) -> bool:
    """``delay = min(delay * 2, 60)``: nothing but the variable, and no effect."""
    if isinstance(small, cst.AugAssign):
        targets: list[cst.BaseExpression] = [small.target]
        value: cst.BaseExpression = small.value
    elif isinstance(small, cst.Assign):
        targets, value = [target.target for target in small.targets], small.value
    else:
        return False
    if not all(isinstance(target, cst.Name) and target.value in names for target in targets):
        return False
    nodes = [value, *inside(value)]
    calls = [called(node) for node in nodes if isinstance(node, cst.Call)]
    return all(name in PLAIN_CALLS or name.startswith("random.") for name in calls) and not any(
        isinstance(node, (cst.Await, cst.Yield, cst.NamedExpr)) for node in nodes
    )
