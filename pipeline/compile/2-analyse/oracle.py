"""Says which global names Python itself takes a program to bind and to read: the independent oracle of oracle.spec.ts.

Reads a JSON list of sources on standard input (or, given folders as arguments, uses the Python files in them) and writes one answer per program.
"""

import ast
import json
import pathlib
import symtable
import sys


def stored(target):
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def answer(source):
    try:
        table = symtable.symtable(source, "cell", "exec")
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as problem:
        return {"error": str(problem)}
    bound, read, in_class = set(), set(), set()

    # From Python 3.12 on, a comprehension's names also show in the table of the scope around it.
    own = (
        set()
        if sys.version_info < (3, 12)
        else {name for n in ast.walk(tree) if isinstance(n, ast.comprehension) for name in stored(n.target)}
    )

    def visit(scope, top):
        for symbol in scope.get_symbols():
            # At the top every name is global; below, those that no enclosing function binds.
            if top or symbol.is_global():
                if symbol.is_assigned() or symbol.is_imported() or (top and symbol.is_namespace()):
                    bound.add(symbol.get_name())
                if symbol.is_referenced():
                    read.add(symbol.get_name())
            if scope.get_type() == "class" and symbol.is_local() and symbol.is_referenced():
                in_class.add(symbol.get_name())
        for child in scope.get_children():
            visit(child, False)

    visit(table, True)
    deleted = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)})
    annotated = sorted(
        {n.target.id for n in ast.walk(tree) if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name) and n.value is None}
    )
    augmented = sorted({n.target.id for n in ast.walk(tree) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)})
    return {
        "bound": sorted(bound),
        "targets": sorted(own),
        "read": sorted(read),
        # Where Python's table and ours count differently: `del x` and `x += 1` read x, `x: int` binds nothing, and a class body may read a global before it binds the name.
        "deleted": deleted,
        "augmented": augmented,
        "annotated": annotated,
        "inClass": sorted(in_class),
        # A function that has bound a global itself before reading it needs it from nobody.
        "declared": sorted({name for n in ast.walk(tree) if isinstance(n, ast.Global) for name in n.names}),
    }


if len(sys.argv) > 1:
    answers = []
    for folder in sys.argv[1:]:
        for path in sorted(pathlib.Path(folder).glob("*.py")):
            try:
                source = path.read_text(encoding="utf-8-sig")
            except UnicodeDecodeError:
                continue
            answers.append({"path": str(path), "source": source, **answer(source)})
else:
    answers = [answer(source) for source in json.load(sys.stdin)]
json.dump(answers, sys.stdout)
