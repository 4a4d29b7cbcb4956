"""Which services write, found by reading their source.

A function writes if it calls a name of messaging/changes, saves or deletes a
message or a person, or calls a function that does.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

_SERVICES: Final = "messaging.services"
_CHANGES: Final = "messaging.changes"
# Of messages and users: their receivers open a change.
_SAVING: Final = frozenset(
    {"message.save", "user.save", "user.delete", "Message.objects.create"}
)

# Module and function.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Function:
    public: bool
    calls: frozenset[Name]


def services_that_write() -> frozenset[str]:
    """`module.function` of each public one that is given no change by its caller."""
    functions = dict(_functions())
    writing = {(_CHANGES, "")}
    while more := _callers(functions, writing) - writing:
        writing |= more
    return frozenset(
        ".".join(name) for name in writing & functions.keys() if functions[name].public
    )


def _callers(functions: Mapping[Name, _Function], called: set[Name]) -> set[Name]:
    return {name for name, each in functions.items() if each.calls & called}


def _functions() -> Iterator[tuple[Name, _Function]]:
    folder = settings.BASE_DIR / Path(*_SERVICES.split("."))
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text())
        imported = _imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                calls = frozenset(_calls(node, path.stem, imported))
                public = node in tree.body and not _is_part(node)
                yield (path.stem, node.name), _Function(public, calls)


def _is_part(function: ast.FunctionDef) -> bool:
    """Whether it is private, or writes by a change that its caller opened."""
    arguments = (*function.args.args, *function.args.kwonlyargs)
    given = any(argument.arg == "change" for argument in arguments)
    return given or function.name.startswith("_")


def _imported(tree: ast.Module) -> dict[str, Name]:
    names: dict[str, Name] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        for alias in node.names:
            if node.module == _CHANGES:
                names[alias.name] = (_CHANGES, "")
            elif node.module.startswith(f"{_SERVICES}."):
                names[alias.name] = (node.module.rpartition(".")[2], alias.name)
    return names


def _calls(
    function: ast.FunctionDef, module: str, imported: Mapping[str, Name]
) -> Iterator[Name]:
    # A method may be of a class that was imported.
    modules = {module, *(source for source, _ in imported.values())}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _SAVING:
            yield _CHANGES, ""
        # By name, called or handed on.
        if isinstance(node, ast.Name):
            yield imported.get(node.id, (module, node.id))
        if isinstance(node, ast.Attribute):
            yield from ((each, node.attr) for each in modules)
