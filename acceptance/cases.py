"""
Small notebooks of our own, each a way in which a pipeline could give another answer than the notebook: found by reading what Python allows, or by cutting
real notebooks and asking for the cause of a difference.

Each case is cut after every cell (so every dependence crosses steps) and compared with the same cells run one after the other in one IPython shell.
Cells are parted by lines of `%%`. To add one, add a row; to see its answer, `python acceptance/cases.py NAME`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """
    `stops` names the variable of the problem with which the run may stop instead; `needs` are modules without which the case is
    skipped; `files` lie beside the notebook when it starts. `differs` says why the answer is not that of the notebook yet: such a case
    is expected to fail.
    """

    name: str
    text: str
    stops: str | None = None
    needs: tuple[str, ...] = field(default=())
    files: dict[str, str] = field(default_factory=dict)
    differs: str = ""

    @property
    def cells(self) -> list[str]:
        return [cell.strip("\n") for cell in self.text.strip("\n").split("\n%%\n")]

    def notebook(self, every: int = 1) -> dict:
        cells = [
            {
                "cell_type": "code",
                "id": f"c{i}",
                "source": source,
                "metadata": {"tags": [f"step:s{i // every + 1}"]},
                "outputs": [],
                "execution_count": None,
            }
            for i, source in enumerate(self.cells)
        ]
        kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
        return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


CASES = [
    # ---- plain values and changes in place ----
    Case("a value crosses", "x = [1, 2]\n%%\nprint(x)\n%%\nx"),
    Case("a change through a method", "x = []\n%%\nx.append(1)\n%%\nprint(x)"),
    Case("a change by item", "d = {}\n%%\nd['a'] = 1\n%%\nd['b'] = 2\n%%\nprint(d)"),
    Case("augmented assignment", "n = 1\n%%\nn += 4\n%%\nn *= 3\n%%\nn"),
    Case("deletion", "x = 1\n%%\ndel x\n%%\ntry:\n    x\nexcept NameError as error:\n    print(error)"),
    Case("deletion of an item", "d = {'a': 1, 'b': 2}\n%%\ndel d['a']\n%%\nd"),
    Case("a change through an alias", "a = b = []\n%%\na.append(1)\n%%\nprint(a, b, a is b)"),
    Case("a change through a container", "row = [1]\ntable = [row, row]\n%%\nrow.append(2)\n%%\nprint(table, table[0] is row)"),
    Case("a change through a loop variable", "rows = [[1], [2]]\n%%\nfor row in rows:\n    row.append(0)\n%%\nprint(rows, row)"),
    Case("an alias made later", "a = [1]\n%%\nb = a\n%%\nb.append(2)\n%%\nprint(a)"),
    Case("a change by a function of the notebook", "def add(to, v):\n    to.append(v)\nitems = []\n%%\nadd(items, 3)\n%%\nprint(items)"),
    Case(
        "a change by a function through a global", "items = []\ndef add(v):\n    items.append(v)\n%%\nadd(1)\n%%\nadd(2)\n%%\nprint(items)"
    ),
    Case("global in a function", "n = 0\ndef up():\n    global n\n    n += 1\n%%\nup(); up()\n%%\nprint(n)"),
    Case("a global made by a function", "def make():\n    global made\n    made = 7\n%%\nmake()\n%%\nprint(made)"),
    Case(
        "a closure that counts",
        "def counter():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up\nc = counter()\n%%\nc(); c()\n%%\nprint(c())",
    ),
    Case(
        "a default that remembers",
        "def f(x, seen=[]):\n    seen.append(x)\n    return seen\n%%\nprint(f(1))\n%%\nprint(f(2))\n%%\nprint(f(3))",
    ),
    Case("an attribute of a function", "def f():\n    f.calls = getattr(f, 'calls', 0) + 1\n%%\nf(); f()\n%%\nprint(f.calls)"),
    Case("an attribute of a class", "class C:\n    total = 0\n%%\nC.total += 5\n%%\nclass D(C):\n    pass\n%%\nprint(C.total, D.total)"),
    Case(
        "instances that count in their class",
        "class P:\n    made = []\n    def __init__(self):\n        P.made.append(len(P.made))\n%%\na = P()\n%%\nb = P()\n%%\nprint(P.made)",
    ),
    Case("a method that changes and returns", "s = {3, 1}\n%%\np = s.pop()\n%%\nprint(p, s)"),
    Case("an iterator that is used up", "it = iter([1, 2, 3, 4])\n%%\nprint(next(it))\n%%\nprint(list(it))"),
    Case("a generator", "g = (n * n for n in range(5))\n%%\nprint(next(g), next(g))\n%%\nprint(list(g))", stops="g"),
    Case("an open file", "f = open('t.txt', 'w')\n%%\nf.write('hello')\n%%\nf.close()\n%%\nprint(open('t.txt').read())", stops="f"),
    Case("a lock", "import threading\nlock = threading.Lock()\n%%\nwith lock:\n    print('in')\n%%\nprint(lock.locked())", stops="lock"),
    Case("a module attribute", "import math\nmath.tau2 = 12\n%%\nprint(math.tau2)"),
    Case("a swap", "a, b = 1, 2\n%%\na, b = b, a\n%%\nprint(a, b)"),
    Case("a walrus in a condition", "x = [1, 2, 3]\n%%\nif (n := len(x)) > 2:\n    pass\n%%\nprint(n)"),
    Case("assigned on one path only", "x = 1\n%%\nif x > 5:\n    x = 9\n%%\nprint(x)"),
    Case("assigned in try", "x = 'old'\n%%\ntry:\n    x = int('no')\nexcept ValueError:\n    pass\n%%\nprint(x)"),
    Case("a star import", "from math import *\n%%\nprint(round(pi, 3), sqrt(16))"),
    Case("a star import that shadows", "pow = 'mine'\n%%\nfrom math import *\n%%\nprint(pow(2, 3))"),
    Case("exec makes a name", "exec('made = 3')\n%%\nprint(made)"),
    Case("globals() makes a name", "globals()['made'] = 4\n%%\nprint(made)"),
    Case("vars and locals are read", "a_1, a_2 = 1, 2\n%%\nprint(sorted(k for k in globals() if k.startswith('a_')))"),
    Case("names by eval", "alpha = 4\n%%\nprint(eval('alpha + 1'))"),
    Case("names in a format call", "who = 'me'\n%%\nprint('{who}'.format(**globals()))"),
    Case("setattr and getattr", "class O: pass\no = O()\n%%\nsetattr(o, 'v', 3)\n%%\nprint(getattr(o, 'v'))"),
    Case("a definition given anew", "def f():\n    return 1\n%%\na = f()\n%%\ndef f():\n    return 2\n%%\nprint(a, f())"),
    Case("a function that calls a later one", "def f():\n    return g()\n%%\ndef g():\n    return 'g'\n%%\nprint(f())"),
    Case(
        "a function that reads a global given later",
        "def f():\n    return rate * 2\n%%\nrate = 5\n%%\nprint(f())\n%%\nrate = 6\n%%\nprint(f())",
    ),
    Case("a lambda that reads a global given later", "f = lambda: rate * 2\n%%\nrate = 5\n%%\nprint(f())\n%%\nrate = 6\n%%\nprint(f())"),
    Case("a function in a container", "rate = 2\ntable = {'f': lambda v: v * rate}\n%%\nrate = 10\n%%\nprint(table['f'](4))"),
    Case(
        "a decorator that keeps a list",
        "known = []\ndef keep(f):\n    known.append(f.__name__)\n    return f\n%%\n@keep\ndef a():\n    return 1\n%%\n@keep\ndef b():\n    return a() + 1\n%%\nprint(known, b())",
    ),
    Case(
        "a cached function",
        "from functools import lru_cache\ncalls = []\n@lru_cache\ndef f(x):\n    calls.append(x)\n    return x * 2\n%%\nf(1); f(2)\n%%\nf(1); f(3)\n%%\nprint(calls, f.cache_info().hits)",
    ),
    Case(
        "a function defined under a condition",
        "fast = False\n%%\nif fast:\n    def f(): return 'fast'\nelse:\n    def f(): return 'slow'\n%%\nprint(f())",
    ),
    Case(
        "a class and its subclass",
        "class A:\n    def who(self):\n        return type(self).__name__\n%%\nclass B(A):\n    def who(self):\n        return 'a ' + super().who()\n%%\nb = B()\n%%\nprint(b.who(), isinstance(b, A), isinstance(b, B))",
    ),
    Case(
        "instances stay instances",
        "class P:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, o):\n        return isinstance(o, P) and self.x == o.x\np = P(1)\n%%\nq = P(1)\n%%\nprint(p == q, type(p) is type(q), type(p) is P)",
    ),
    Case(
        "a dataclass",
        "from dataclasses import dataclass, field\n@dataclass\nclass R:\n    a: int\n    b: list = field(default_factory=list)\n%%\nr = R(1)\n%%\nr.b.append(4)\n%%\nr",
    ),
    Case("an enumeration", "from enum import Enum\nclass Colour(Enum):\n    RED = 1\n%%\nc = Colour.RED\n%%\nprint(c is Colour.RED, c)"),
    Case(
        "a named tuple",
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\n%%\np = Point(1, 2)\n%%\nprint(p, isinstance(p, Point))",
    ),
    Case(
        "an exception class",
        "class Mine(Exception):\n    pass\n%%\ndef f():\n    raise Mine('no')\n%%\ntry:\n    f()\nexcept Mine as e:\n    print(repr(e))",
    ),
    Case(
        "an abstract base",
        "from abc import ABC, abstractmethod\nclass Shape(ABC):\n    @abstractmethod\n    def area(self): ...\n%%\nclass Square(Shape):\n    def __init__(self, s): self.s = s\n    def area(self): return self.s ** 2\n%%\nshapes = [Square(2), Square(3)]\n%%\nprint([s.area() for s in shapes], all(isinstance(s, Shape) for s in shapes))",
    ),
    Case("a patched method", "class A:\n    def f(self): return 1\na = A()\n%%\nA.f = lambda self: 2\n%%\nprint(a.f())"),
    Case(
        "a patched library",
        "import json\n_dumps = json.dumps\njson.dumps = lambda v: 'patched ' + _dumps(v)\n%%\nprint(json.dumps([1]))",
    ),
    Case(
        "weak and default dictionaries",
        "from collections import defaultdict, Counter\nd = defaultdict(list)\nc = Counter()\n%%\nd['a'].append(1)\nc.update('abca')\n%%\nprint(dict(d), c.most_common(1))",
    ),
    Case("the answer before", "1 + 1\n%%\n_ + 1\n%%\nprint(_)"),
    Case("out and in", "a = 1\n%%\na + 1\n%%\nprint(Out[2], In[1])"),
    Case("a cell that shows nothing", "x = 3\nx;\n%%\nx"),
    Case("annotations", "x: int = 3\n%%\ny: 'list[int]'\n%%\nprint(x, 'y' in globals())"),
    Case("match", "v = ('move', 3, 4)\n%%\nmatch v:\n    case ('move', x, y):\n        print(x, y)\n%%\nprint(x + y)"),
    Case("await at top level", "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 5\n%%\nr = await f()\n%%\nprint(r)"),
    Case("comprehension variables stay inside", "x = 10\n%%\nsquares = [x * x for x in range(4)]\n%%\nprint(x, squares)"),
    Case("a name of a builtin", "list_ = list\nsum = 5\n%%\nprint(sum + 1)\n%%\ndel sum\n%%\nprint(sum([1, 2]))"),
    Case(
        "an error that is caught by its tag's absence",
        "x = 1\n%%\ntry:\n    1 / 0\nexcept ZeroDivisionError as e:\n    kept = e\n%%\nprint(type(kept), kept)",
    ),
    Case(
        "a chain of objects",
        "class Node:\n    def __init__(self, v, next=None):\n        self.v, self.next = v, next\nhead = Node(1, Node(2))\n%%\ntail = head.next\n%%\ntail.v = 20\n%%\nprint(head.next.v, head.next is tail)",
    ),
    Case("a cycle of objects", "a = {}\nb = {'a': a}\na['b'] = b\n%%\na['x'] = 1\n%%\nprint(b['a']['x'], a['b'] is b)"),
    Case("bound methods", "items = []\npush = items.append\n%%\npush(1)\n%%\nprint(items)"),
    Case("partial", "from functools import partial\nlog = []\nnote = partial(log.append)\n%%\nnote('a')\n%%\nprint(log)"),
    Case(
        "an object that changes when asked",
        "class Tape:\n    def __init__(self): self.n = 0\n    @property\n    def next(self):\n        self.n += 1\n        return self.n\nt = Tape()\n%%\nt.next\n%%\nt.next\n%%\nprint(t.n)",
    ),
    Case(
        "an object that changes when printed",
        "class P:\n    n = 0\n    def __repr__(self):\n        self.n += 1\n        return f'shown {self.n}'\np = P()\n%%\np\n%%\nprint(p)\n%%\nprint(f'{p}', p.n)",
    ),
    Case(
        "a with block",
        "class W:\n    def __init__(self): self.log = []\n    def __enter__(self):\n        self.log.append('in'); return self\n    def __exit__(self, *a): self.log.append('out')\nw = W()\n%%\nwith w as v:\n    v.log.append('mid')\n%%\nprint(w.log, v is w)",
    ),
    Case(
        "sorted in place by a function's key",
        "words = ['bb', 'a', 'ccc']\nkey = len\n%%\nwords.sort(key=key, reverse=True)\n%%\nprint(words)",
    ),
    Case("a step that reads what a later one changes", "x = [1]\n%%\ny = list(x)\n%%\nx.append(2)\n%%\nprint(x, y)"),
    Case("two readers and a writer", "x = [3, 1, 2]\n%%\nprint(sum(x))\n%%\nx.sort()\n%%\nprint(x)\n%%\nprint(x[0])"),
    Case("mutation in a comprehension", "seen = []\n%%\nsquares = [seen.append(i) or i * i for i in range(3)]\n%%\nprint(seen, squares)"),
    Case("map is lazy", "log = []\nm = map(log.append, [1, 2, 3])\n%%\nprint(log)\n%%\nlist(m)\n%%\nprint(log)", stops="m"),
    Case("zip and enumerate", "z = zip('ab', [1, 2])\n%%\nprint(next(z))\n%%\nprint(list(z))"),
    Case(
        "a thread that has ended",
        "import threading\nr = []\n%%\nt = threading.Thread(target=r.append, args=(1,))\nt.start(); t.join()\n%%\nprint(r)",
    ),
    # ---- process state ----
    Case(
        "random is seeded",
        "import random\nrandom.seed(3)\n%%\nprint(random.random())\n%%\nprint(random.random())\n%%\nprint(random.choice('abcdef'))",
    ),
    Case("random state by name", "from random import seed, random\nseed(1)\n%%\na = random()\n%%\nprint(a, random())"),
    Case("a generator object", "import random\nr = random.Random(4)\n%%\nprint(r.random())\n%%\nprint(r.random())"),
    Case(
        "the environment",
        "import os\nos.environ['STEP_CASE'] = 'here'\n%%\nimport os\nprint(os.environ.get('STEP_CASE'), os.getenv('STEP_CASE'))\n%%\ndel os.environ['STEP_CASE']\n%%\nprint('STEP_CASE' in os.environ)",
    ),
    Case(
        "the folder's path is the notebook's",
        "import os\nos.getcwd()\n%%\nfrom pathlib import Path\nprint(Path('x').resolve())\n%%\n!pwd\n%%\ntry:\n    open(os.path.abspath('none'))\nexcept OSError as error:\n    print(error)",
    ),
    Case("the environment by magic", "%env STEP_CASE=3\n%%\n!echo $STEP_CASE"),
    Case(
        "the folder",
        "import os\nos.makedirs('sub', exist_ok=True)\nos.chdir('sub')\n%%\nopen('f.txt', 'w').write('x')\n%%\nos.chdir('..')\n%%\nprint(os.listdir('sub'))",
    ),
    Case(
        "the folder by magic",
        "%mkdir sub2\n%%\n%cd -q sub2\n%%\n!echo hello > f.txt\n%%\nimport os\nprint(os.path.basename(os.getcwd()), os.listdir('.'))",
    ),
    Case(
        "a module written by the notebook",
        "open('made_here.py', 'w').write('VALUE = 5\\n')\nimport sys, os\nsys.path.insert(0, os.getcwd())\n%%\nimport made_here\n%%\nprint(made_here.VALUE)",
    ),
    Case(
        "a module's state",
        "open('stateful.py', 'w').write('n = 0\\ndef up():\\n    global n\\n    n += 1\\n    return n\\n')\n%%\nimport stateful\nstateful.up()\n%%\nprint(stateful.up())\n%%\nprint(stateful.n)",
        stops="stateful",
        differs="state inside a module of the notebook's own stays in the process",
    ),
    Case(
        "writefile and import",
        "%%writefile written.py\ndef f():\n    return 'from a file'\n%%\nimport written\nprint(written.f())\n%%\nfrom written import f\nprint(f())",
    ),
    Case("run a script", "open('script.py', 'w').write('made = 3\\nprint(\"in the script\")\\n')\n%%\n%run script.py\n%%\nprint(made)"),
    Case(
        "warnings are filtered",
        "import warnings\nwarnings.filterwarnings('ignore')\n%%\nimport warnings\nwarnings.warn('no')\nprint('quiet')",
    ),
    Case(
        "warnings are shown once",
        "import warnings\ndef f():\n    warnings.warn('careful')\n%%\nwarnings.simplefilter('error')\n%%\ntry:\n    f()\nexcept UserWarning as e:\n    print('raised', e)",
    ),
    Case(
        "a warning is shown once per place",
        "open('noisy.py', 'w').write('import warnings\\ndef f():\\n    warnings.warn(\"old\", FutureWarning)\\n')\nimport sys\nsys.path.insert(0, '.')\n"
        "%%\nimport noisy\nnoisy.f()\n%%\nnoisy.f()\nprint('quiet')\n%%\nimport warnings\nwith warnings.catch_warnings():\n    pass\n"
        "%%\nnoisy.f()\n%%\nnoisy.f()",
    ),
    Case(
        "a warning of a cell is shown once per line",
        "import warnings\n%%\nwarnings.warn('a')\n%%\nwarnings.warn('a')\nprint(1)\n%%\n\nwarnings.warn('a')",
    ),
    Case(
        "logging is configured",
        "import logging, sys\nlogging.basicConfig(level=logging.INFO, stream=sys.stdout, format='%(levelname)s %(message)s')\n%%\nimport logging\nlogging.info('hello')\n%%\nlogging.getLogger('a.b').warning('careful')",
    ),
    Case(
        "a logger's own level",
        "import logging, sys\nlog = logging.getLogger('mine')\nlog.setLevel(logging.DEBUG)\nlog.addHandler(logging.StreamHandler(sys.stdout))\n%%\nlog.debug('one')\n%%\nlogging.getLogger('mine').info('two')",
    ),
    Case("the decimal context", "from decimal import Decimal, getcontext\ngetcontext().prec = 5\n%%\nprint(Decimal(1) / Decimal(3))"),
    Case("the recursion limit", "import sys\nsys.setrecursionlimit(1234)\n%%\nprint(sys.getrecursionlimit())"),
    Case("the locale's digits", "%precision 3\n%%\n3.14159"),
    Case(
        "every expression is shown",
        "from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.ast_node_interactivity = 'all'\n%%\n1\n2",
    ),
    Case(
        "stdout is replaced",
        "import sys, io\nold = sys.stdout\nsys.stdout = io.StringIO()\nprint('caught')\nsys.stdout = old\n%%\nprint('shown')",
    ),
    Case("capture", "%%capture out\nprint('inside')\n%%\nprint(repr(out.stdout))"),
    Case("shell output is assigned", "files = !printf 'a\\nb\\n'\n%%\nprint(files, list(files))"),
    Case("a variable in a shell line", "name = 'value'\n%%\n!echo {name} $name"),
    Case("a variable in a bash cell", "name = 'value'\n%%\n%%bash -s {name}\necho \"got $1\""),
    Case(
        "a macro and an alias",
        "%alias greet echo hello %s\n%%\ngreet world",
    ),
    Case(
        "a file is made, read and removed",
        "open('a.txt', 'w').write('1')\n%%\nprint(open('a.txt').read())\n%%\nopen('a.txt', 'a').write('2')\n%%\nprint(open('a.txt').read())\n%%\nimport os\nos.remove('a.txt')\n%%\nprint(os.path.exists('a.txt'))",
    ),
    Case(
        "files are listed",
        "for n in 'abc':\n    open(f'data_{n}.csv', 'w').write(n)\n%%\nimport glob\nprint(sorted(glob.glob('data_*.csv')))\n%%\nfrom pathlib import Path\nprint(sorted(p.name for p in Path('.').glob('data_*.csv')))",
    ),
    Case(
        "a folder tree",
        "import os, pathlib\npathlib.Path('out/deep').mkdir(parents=True)\n(pathlib.Path('out/deep') / 'f.txt').write_text('hi')\n%%\nimport shutil\nshutil.copytree('out', 'copy')\n%%\nprint(pathlib.Path('copy/deep/f.txt').read_text())\n%%\nshutil.rmtree('out')\n%%\nprint(os.path.exists('out'), os.path.exists('copy'))",
    ),
    Case(
        "an empty folder",
        "import os\nos.makedirs('models/deep', exist_ok=True)\n%%\nprint(os.path.isdir('models'))\n%%\nopen('models/deep/x', 'w').write('1')\n%%\nprint(os.listdir('models/deep'))",
    ),
    Case(
        "a folder that goes",
        "import os\nos.makedirs('a')\nopen('a/f', 'w').write('1')\n%%\nos.remove('a/f')\n%%\nprint(os.path.isdir('a'))\n%%\nos.rmdir('a')\n%%\nprint(os.path.exists('a'))",
    ),
    Case(
        "a database in a file",
        "import sqlite3\nc = sqlite3.connect('d.db')\nc.execute('create table t (x)'); c.commit()\n%%\nc.execute('insert into t values (1)'); c.commit()\n%%\nprint(sqlite3.connect('d.db').execute('select * from t').fetchall())",
        stops="c",
    ),
    Case(
        "a database in memory",
        "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('create table t (x)')\n%%\nc.execute('insert into t values (1)')\n%%\nprint(c.execute('select * from t').fetchall())",
        stops="c",
    ),
    Case(
        "a temporary folder",
        "import tempfile, os\nd = tempfile.mkdtemp()\n%%\nopen(os.path.join(d, 'f'), 'w').write('x')\n%%\nprint(os.listdir(d))",
    ),
    Case("the clock is not compared", "import time\nt0 = time.perf_counter()\n%%\nprint(time.perf_counter() - t0 >= 0)"),
    Case("time magic", "%time x = 5\n%%\nprint(x)"),
    Case("time of a cell", "%%time\ny = 6\n%%\nprint(y)"),
    Case("timeit keeps names", "%timeit -n1 -r1 z = 1\n%%\nprint('z' in globals())"),
    Case("who", "alpha = 1\n%%\n%who_ls int"),
    Case("a display handle", "from IPython.display import display\nh = display('waiting', display_id='a')\n%%\nprint('between')"),
    Case(
        "help and question marks",
        "def f(x):\n    '''What it does.'''\n%%\nprint(f.__doc__)\n%%\nimport inspect\nprint(inspect.getsource(f))",
    ),
    Case("a name of the main module", "class A: pass\n%%\nprint(A.__module__, __name__)\n%%\nimport __main__\nprint(__main__.A is A)"),
    Case(
        "pickling by the notebook",
        "import pickle\nclass K:\n    def __init__(self, v): self.v = v\n%%\npickle.dump(K(3), open('k.pkl', 'wb'))\n%%\nprint(pickle.load(open('k.pkl', 'rb')).v)",
    ),
    Case(
        "a signal handler",
        "import signal\nsignal.signal(signal.SIGUSR1, lambda *a: print('got it'))\n%%\nimport os\nos.kill(os.getpid(), signal.SIGUSR1)\nprint('sent')",
        differs="handlers of signals stay in the process",
    ),
    Case("exit functions and hooks", "import sys\nsys.displayhook_calls = 0\n%%\nprint(sys.displayhook_calls)"),
    Case(
        "type registrations",
        "from functools import singledispatch\n@singledispatch\ndef f(x): return 'any'\n%%\n@f.register\ndef _(x: int): return 'int'\n%%\nprint(f(1), f('a'))",
    ),
    Case("a counter of objects", "import itertools\nids = itertools.count(5)\n%%\na = next(ids)\n%%\nb = next(ids)\n%%\nprint(a, b)"),
    Case(
        "an IPython magic of the notebook",
        "from IPython.core.magic import register_line_magic\n@register_line_magic\ndef shout(line):\n    return line.upper()\n%%\n%shout hello",
    ),
    # ---- numpy, pandas, matplotlib, scikit-learn ----
    Case(
        "numpy is seeded",
        "import numpy as np\nnp.random.seed(0)\n%%\nprint(np.random.rand(2))\n%%\nprint(np.random.randint(10, size=3))\n%%\nimport numpy\nprint(numpy.random.normal())",
        needs=("numpy",),
    ),
    Case(
        "numpy is seeded again in parallel",
        "import numpy as np\nnp.random.seed(0)\na = np.random.rand()\n%%\nnp.random.seed(1)\nb = np.random.rand()\n%%\nc = np.random.rand()\n%%\nprint(a, b, c)",
        needs=("numpy",),
    ),
    Case(
        "a numpy generator",
        "import numpy as np\nrng = np.random.default_rng(1)\n%%\nx = rng.normal(size=2)\n%%\ny = rng.normal(size=2)\n%%\nprint(x, y)",
        needs=("numpy",),
    ),
    Case(
        "a numpy view",
        "import numpy as np\na = np.zeros(6)\nv = a[2:4]\n%%\nv[:] = 1\n%%\nprint(a)\n%%\na[3] = 9\n%%\nprint(v, np.shares_memory(v, a))",
        needs=("numpy",),
    ),
    Case(
        "a reshaped and transposed view",
        "import numpy as np\na = np.arange(6)\nm = a.reshape(2, 3).T\n%%\nm[0, 0] = 100\n%%\nprint(a)\n%%\nprint(m.flags['C_CONTIGUOUS'], m.flags['F_CONTIGUOUS'])",
        needs=("numpy",),
    ),
    Case("a view made later", "import numpy as np\na = np.zeros(4)\n%%\nv = a[:2]\n%%\nv += 5\n%%\nprint(a)", needs=("numpy",)),
    Case(
        "numpy print options",
        "import numpy as np\nnp.set_printoptions(precision=2, suppress=True)\n%%\nprint(np.array([1.23456, 0.000001]))",
        needs=("numpy",),
    ),
    Case(
        "numpy errors",
        "import numpy as np\nnp.seterr(all='raise')\n%%\ntry:\n    np.float64(1) / 0\nexcept FloatingPointError as e:\n    print(e)",
        needs=("numpy",),
    ),
    Case(
        "numpy writes into out",
        "import numpy as np\na = np.ones(3)\nb = np.zeros(3)\n%%\nnp.multiply(a, 4, out=b)\n%%\nprint(b)\n%%\nnp.copyto(a, b)\n%%\nprint(a)\n%%\nnp.random.default_rng(0).shuffle(a)\nnp.fill_diagonal(m := np.zeros((2, 2)), 3)\n%%\nprint(m)",
        needs=("numpy",),
    ),
    Case(
        "numpy shuffles in place",
        "import numpy as np\nnp.random.seed(5)\na = np.arange(6)\n%%\nnp.random.shuffle(a)\n%%\nprint(a)",
        needs=("numpy",),
    ),
    Case(
        "object and structured arrays",
        "import numpy as np\na = np.array([{'k': []}, None], dtype=object)\ns = np.zeros(2, dtype=[('x', 'f4'), ('n', 'U3')])\n%%\na[0]['k'].append(1)\ns['n'][0] = 'abc'\n%%\nprint(a, s)",
        needs=("numpy",),
    ),
    Case(
        "a memory map",
        "import numpy as np\nm = np.memmap('m.dat', dtype='f8', mode='w+', shape=(3,))\n%%\nm[1] = 7\nm.flush()\n%%\nprint(np.fromfile('m.dat'), m)",
        stops="m",
        needs=("numpy",),
    ),
    Case(
        "a frame in place",
        "import pandas as pd\ndf = pd.DataFrame({'a': [3, 1], 'b': ['x', 'y']})\n%%\ndf.sort_values('a', inplace=True)\n%%\ndf['c'] = df.a * 2\n%%\ndf.loc[0, 'a'] = 10\n%%\ndf.columns = list('xyz')\n%%\ndf",
        needs=("pandas",),
    ),
    Case(
        "a column and its frame",
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\ns = df['a']\n%%\ns.name = 'renamed'\n%%\nprint(df.columns.tolist(), s.name)",
        needs=("pandas",),
    ),
    Case(
        "pandas options",
        "import pandas as pd\npd.set_option('display.max_rows', 4)\npd.options.display.precision = 2\n%%\npd.DataFrame({'a': [1 / 3] * 10})",
        needs=("pandas",),
    ),
    Case(
        "a frame of every kind",
        "import pandas as pd, numpy as np\ndf = pd.DataFrame({'i': [1, 2], 's': ['a', None], 'd': pd.to_datetime(['2020-01-01', None]), 'c': pd.Categorical(['u', 'v'], ordered=True), 'o': [[1], {'k': 2}], 'b': [True, False], 'n': pd.array([1, None], dtype='Int64')}, index=pd.MultiIndex.from_tuples([('a', 1), ('b', 2)], names=['l', 'm']))\ndf.attrs['unit'] = 'm'\n%%\nprint(df.dtypes)\n%%\nprint(df, df.attrs, df.index.names)",
        needs=("pandas",),
    ),
    Case(
        "a frame's index has a frequency",
        "import pandas as pd\ns = pd.Series(range(3), index=pd.date_range('2020-01-31', periods=3, freq='ME', tz='Europe/Paris'), name='v')\n%%\nprint(s.index.freq, s)",
        needs=("pandas",),
    ),
    Case(
        "groupby and rolling objects",
        "import pandas as pd\ndf = pd.DataFrame({'k': list('aab'), 'v': [1, 2, 3]})\ng = df.groupby('k')\nr = df.v.rolling(2)\n%%\nprint(g.sum(), r.mean().tolist())",
        needs=("pandas",),
    ),
    Case(
        "a frame reads its file",
        "import pandas as pd\npd.DataFrame({'a': [1, 2]}).to_csv('a.csv', index=False)\n%%\nimport pandas as pd\ndf = pd.read_csv('a.csv')\n%%\ndf",
        needs=("pandas",),
    ),
    Case(
        "a frame's rows handed to a function",
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\ndef tidy(frame):\n    frame['b'] = frame.a + 1\n%%\ntidy(df)\n%%\nprint(df)\n%%\nout = df.pipe(lambda d: d.drop(columns='a'))\n%%\nprint(out, df.columns.tolist())",
        needs=("pandas",),
    ),
    Case(
        "plotting parameters beside the notebook",
        "import matplotlib.pyplot as plt\nprint(plt.rcParams['lines.linewidth'])\n%%\nprint(plt.rcParams['lines.linewidth'])",
        needs=("matplotlib",),
        files={"matplotlibrc": "lines.linewidth: 7\n"},
    ),
    Case(
        "an array with attributes of its own",
        "import numpy as np\nclass Signal(np.ndarray):\n    pass\ns = np.arange(3).view(Signal)\ns.label = 'a'\n%%\nprint(s.label, s, type(s).__name__)\n%%\ns.label = 'b'\ns[0] = 7\n%%\nprint(s.label, s)",
        needs=("numpy",),
    ),
    Case(
        "printing of formulas",
        "import sympy\nsympy.init_printing(use_latex=False)\nx = sympy.symbols('x')\n%%\nx ** 2\n%%\nimport sympy\nsympy.symbols('y') / 2",
        needs=("sympy",),
    ),
    Case(
        "an entry in a module's table",
        "import mimetypes\n%%\nmimetypes.types_map['.zzz'] = 'text/zzz'\n%%\nprint(mimetypes.types_map['.zzz'])",
    ),
    Case(
        "source of a function in another step",
        "import inspect\n\n\ndef f(x):\n    return x\n%%\ndef g(x):\n    return f(x)\n%%\nprint(repr(inspect.getsource(f)), repr(inspect.getsource(g)))",
    ),
    Case(
        "plotting parameters",
        "import matplotlib.pyplot as plt\nplt.rcParams['figure.figsize'] = (3, 2)\n%%\nprint(plt.rcParams['figure.figsize'])\n%%\nplt.style.use('ggplot')\n%%\nprint(plt.rcParams['axes.facecolor'])",
        needs=("matplotlib",),
    ),
    Case(
        "a figure grows",
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n%%\nax.plot([1, 2])\nprint(len(ax.lines))\n%%\nax.set_title('t')\n%%\nprint(fig.axes[0] is ax, fig.axes[0].get_title(), len(ax.lines))",
        needs=("matplotlib",),
    ),
    Case(
        "the current figure",
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\n%%\n_ = plt.plot([3, 4])\n%%\nprint(len(plt.gca().lines))",
        needs=("matplotlib",),
        differs="pyplot's current figure stays in the process where figures are not inline",
    ),
    Case(
        "a model is fitted",
        "from sklearn.linear_model import LinearRegression\nmodel = LinearRegression()\n%%\nmodel.fit([[1], [2]], [2, 4])\n%%\nprint(model.predict([[3]]).round(6), model.coef_.round(6))",
        needs=("sklearn",),
    ),
    Case(
        "a model is fitted in a pipeline",
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.linear_model import Ridge\nscale = StandardScaler()\npipe = make_pipeline(scale, Ridge())\n%%\npipe.fit([[1.0], [3.0]], [1, 2])\n%%\nprint(scale.mean_)",
        needs=("sklearn",),
    ),
    Case(
        "fit_transform's fit stays",
        "from sklearn.preprocessing import StandardScaler\ns = StandardScaler()\n%%\nz = s.fit_transform([[1.0], [3.0]])\n%%\nprint(s.mean_, s.transform([[2.0]]), z.ravel())",
        needs=("sklearn",),
    ),
    Case(
        "a model shown",
        "from sklearn.linear_model import Ridge\nRidge()\n%%\nm = Ridge(alpha=2)\nm\n%%\nm.set_params(alpha=3)\n%%\nprint(m)",
        needs=("sklearn",),
    ),
    Case(
        "a random state that is shared",
        "import numpy as np\nfrom sklearn.cluster import KMeans\nrs = np.random.RandomState(0)\nX = rs.rand(20, 2)\n%%\na = KMeans(2, random_state=rs, n_init=1).fit(X)\n%%\nb = rs.rand()\n%%\nprint(round(a.inertia_, 6), round(b, 6))",
        needs=("sklearn",),
    ),
    Case(
        "sklearn's configuration",
        "import sklearn\nsklearn.set_config(transform_output='default', display='text')\n%%\nfrom sklearn.linear_model import Ridge\nRidge()",
        needs=("sklearn",),
    ),
    Case(
        "seaborn's theme",
        "import seaborn as sns\nsns.set_theme(style='whitegrid')\n%%\nimport matplotlib.pyplot as plt\nprint(plt.rcParams['axes.grid'], plt.rcParams['grid.color'])\n%%\nsns.set_palette('husl')\n%%\nprint(sns.color_palette()[0])",
        needs=("seaborn",),
    ),
    Case(
        "a frame of text is shared",
        "import pandas as pd\ndf = pd.DataFrame({'t': ['a', 'b']})\nboth = {'one': df, 'two': df}\n%%\nboth['one']['n'] = 1\n%%\nprint(df.columns.tolist(), both['two'] is df)",
        needs=("pandas",),
    ),
]


def oracle(cases: list[Case], interpreter: str) -> list[list[dict]]:
    """What each case's cells show, one list per case, when IPython runs them one after the other in one process."""
    document = json.dumps([{"cells": case.cells, "files": case.files} for case in cases])
    done = subprocess.run(
        [interpreter, str(Path(__file__).with_name("oracle.py"))], input=document, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the oracle failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    asked = [case for case in CASES if case.name in sys.argv[1:] or len(sys.argv) == 1]
    for case, cells in zip(asked, oracle(asked, sys.executable), strict=True):
        print(f"== {case.name}")
        for source, outputs in zip(case.cells, cells, strict=True):
            print("   " + source.replace("\n", "\n   "))
            for output in outputs:
                print("     →", output.get("text") or output.get("data", {}).get("text/plain") or output)
