"""Values cross between two real processes without loss, or are told to be lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

# name: (made in one process, asserted in another). `saved` holds what the first process told.
CROSS = {
    "none": ("v = None", "assert v is None"),
    "booleans": ("v = [True, False, 1, 0]", "assert [type(e) for e in v] == [bool, bool, int, int] and v == [1, 0, 1, 0]"),
    "integers": ("v = [0, -1, 2**53, 2**53 + 1, -(2**70)]", "assert v == [0, -1, 2**53, 2**53 + 1, -(2**70)]"),
    "floats": (
        "v = [0.1, -0.0, 1e308, 5e-324, 1.0]",
        "import math; assert v == [0.1, 0.0, 1e308, 5e-324, 1.0] and math.copysign(1, v[1]) == -1 and type(v[4]) is float",
    ),
    "not a number": ("v = [float('nan'), float('inf'), -float('inf')]", "assert v[0] != v[0] and v[1:] == [float('inf'), -float('inf')]"),
    "text": ("v = 'a\\u0000é\\U0001f600\\n'", "assert v == 'a\\u0000é\\U0001f600\\n'"),
    "half of a surrogate pair": ("v = '\\ud800'", "assert v == '\\ud800'"),
    "nested plain": (
        "v = {'a': [1, {'b': None}], 'c': ''}",
        "assert v == {'a': [1, {'b': None}], 'c': ''} and saved['v']['codec'] == 'json'",
    ),
    "dictionary with other keys": (
        "v = {1: 'a', None: 'b', (1, 2): 'c', True + 1: 'd'}",
        "assert list(v.items()) == [(1, 'a'), (None, 'b'), ((1, 2), 'c'), (2, 'd')]",
    ),
    "tuple in list": ("v = [(1, 2), [1, 2]]", "assert v == [(1, 2), [1, 2]] and type(v[0]) is tuple"),
    "twice in one value": ("x = [1]; v = [x, x]; del x", "v[0].append(2); assert v == [[1, 2], [1, 2]]"),
    "text subclass": ("class S(str): pass\nv = S('a')", "assert type(v).__name__ == 'S' and v == 'a'"),
    "bytes": ("v = [b'\\x00\\xff', bytearray(b'ab')]", "assert v == [b'\\x00\\xff', bytearray(b'ab')] and type(v[1]) is bytearray"),
    "large bytes": ("v = bytes(range(256)) * 2000", "assert v == bytes(range(256)) * 2000"),
    "memoryview": (
        "b = bytearray(b'abcdef'); v = memoryview(b); w = memoryview(b)[2:4]",
        "b[2] = 0x7a; assert bytes(v) == b'abzdef' and bytes(w) == b'zd'",
    ),
    "array.array": ("import array; v = array.array('d', [1, 2])", "assert v.tolist() == [1, 2] and v.typecode == 'd'"),
    "complex, range, slice, ellipsis": (
        "v = (1j, range(0, 9, 2), slice(1, None), ..., NotImplemented)",
        "assert v == (1j, range(0, 9, 2), slice(1, None), ..., NotImplemented)",
    ),
    "dates": (
        "import datetime as d; v = [d.date(2020, 1, 1), d.datetime(2020, 1, 1, tzinfo=d.timezone.utc), d.timedelta(1, 2, 3), d.time(1)]",
        "import datetime as d; assert v == [d.date(2020, 1, 1), d.datetime(2020, 1, 1, tzinfo=d.timezone.utc), d.timedelta(1, 2, 3), d.time(1)]",
    ),
    "decimals": (
        "from decimal import Decimal as D; from fractions import Fraction as F; v = [D('1.10'), D('NaN'), F(1, 3)]",
        "assert str(v[0]) == '1.10' and v[1].is_nan() and v[2] * 3 == 1",
    ),
    "paths and patterns": (
        "import re, pathlib, uuid; v = [pathlib.Path('a/b'), re.compile('a+', re.I), uuid.UUID(int=3)]",
        "import re, pathlib, uuid; assert v == [pathlib.Path('a/b'), re.compile('a+', re.I), uuid.UUID(int=3)]",
    ),
    "collections": (
        "import collections as c; v = [c.deque([1, 2], 3), c.Counter('aab'), c.OrderedDict(b=1, a=2), c.ChainMap({1: 2}, {3: 4})]",
        "import collections as c; assert v == [c.deque([1, 2], 3), c.Counter('aab'), c.OrderedDict(b=1, a=2), c.ChainMap({1: 2}, {3: 4})] and v[0].maxlen == 3 and list(v[2]) == ['b', 'a']",
    ),
    "defaultdict with a lambda": (
        "import collections as c; v = c.defaultdict(lambda: [0]); v['a'].append(1)",
        "assert v == {'a': [0, 1]} and v['new'] == [0]",
    ),
    "order of a set": (
        "import random; random.seed(1); v = {random.randrange(10**6) for _ in range(999)}; o = list(v)",
        "assert list(v) == o and all(e in v for e in o)",
    ),
    "order of a shrunk set": (
        "v = set(range(1000)) - set(range(900)); v |= {5000, 7, 12345}; [v.discard(i) for i in range(940, 990)]; o = list(v)",
        "assert list(v) == o and v == set(o)\nv.add(-3); assert v == {*o, -3}",
    ),
    "order of sets inside": (
        "v = {'a': frozenset(x * 7919 % 1009 for x in range(300))}; o = list(v['a'])",
        "assert list(v['a']) == o and hash(v['a']) == hash(frozenset(o))",
    ),
    "self-reference": ("v = [1]; v.append(v); w = {}; w['w'] = w", "assert v[1] is v and w['w'] is w"),
    "shared list": ("a = b = []", "a.append(1); assert b is a and b == [1] and saved['a']['members'] == ['a', 'b']"),
    "shared inside": (
        "a = [1]; b = {'x': a}; c = (a,); d = [9]",
        "assert b['x'] is a and c[0] is a and saved['c']['members'] == ['a', 'b', 'c'] and saved['d']['members'] == ['d']",
    ),
    "alike but not shared": ("a = [1, 2]; b = [1, 2]", "a.append(3); assert b == [1, 2]"),
    "shared instance": (
        "a = P([1]); b = a.x; c = P(a)",
        "assert c.x is a and a.x is b and type(a) is P and isinstance(c, P)",
        "class P:\n    def __init__(self, x): self.x = x",
    ),
    "object of a class that travels": (
        "v = P(3)",
        "assert type(v) is P and v.double() == 6 and saved['v']['needs'] == ['P']",
        "class P:\n    def __init__(self, x): self.x = x\n    def double(self): return self.x * 2",
    ),
    "nested class": ("v = P.Q()", "assert type(v) is P.Q", "class P:\n    class Q: pass"),
    "dataclass": (
        "v = P(1, [2])",
        "assert v == P(1, [2]) and repr(v) == 'P(x=1, y=[2])'",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: list",
    ),
    "frozen dataclass with slots": (
        "v = P(1)",
        "assert v == P(1) and hash(v) == hash(P(1))",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass P:\n    __slots__ = ('x',)\n    x: int",
    ),
    "enumeration": (
        "v = [E.A, E.B]; w = {E.A: 1}",
        "assert v == [E.A, E.B] and v[0] is E.A and w[E.A] == 1",
        "import enum\nclass E(enum.Enum):\n    A = 1\n    B = 'b'",
    ),
    "named tuple": (
        "v = T(1, [2])",
        "assert type(v) is T and v.y == [2]",
        "from collections import namedtuple\nT = namedtuple('T', 'x y')",
    ),
    "typed named tuple": (
        "v = T(1)",
        "assert type(v) is T and v.x == 1",
        "from typing import NamedTuple\nclass T(NamedTuple):\n    x: int",
    ),
    "generic class": (
        "v = B[int](); w = B[int]",
        "assert type(v) is B and w == B[int]",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass B(Generic[T]): pass",
    ),
    "list subclass with attributes": (
        "v = L([1]); v.name = 'n'",
        "assert type(v) is L and v == [1] and v.name == 'n'",
        "class L(list): pass",
    ),
    "class by value": (
        "class C:\n    n = 1\n    def f(self): return k\nv = C()\nk = 7",
        "assert type(v) is C and v.f() == 7 and 'k' in saved['v']['needs']",
    ),
    "lambda sees the live namespace": (
        "k = 1; f = lambda: k",
        "assert f() == 1\nk = 5; assert f() == 5 and f.__globals__ is globals() and saved['f']['needs'] == ['k']",
    ),
    "function with defaults and closure": (
        "def make(a):\n    def f(b, c=[1], *, d=2): return a + b + d\n    return f\nf = make(10); del make",
        "assert f(1) == 13 and f.__defaults__ == ([1],) and f.__kwdefaults__ == {'d': 2}",
    ),
    "functions that share a variable": (
        "def make():\n    n = 0\n    def up():\n        nonlocal n; n += 1\n    def get(): return n\n    return up, get\nup, get = make(); up(); del make",
        "up(); assert get() == 2 and saved['up']['members'] == ['get', 'up']",
    ),
    "recursive inner function": (
        "def make():\n    def f(n): return 1 if n < 2 else n * f(n - 1)\n    return f\nf = make()",
        "assert f(5) == 120",
    ),
    "function attributes": ("def f(): f.n += 1\nf.n = 1; g = f", "f(); assert g.n == 2 and g is f"),
    "function that needs others": ("f = lambda x: helper(x) + len([y for y in zs])", "assert saved['f']['needs'] == ['helper', 'zs']"),
    "bound method": (
        "p = P(); m = p.get",
        "p.x = 9; assert m() == 9 and m.__self__ is p",
        "class P:\n    x = 1\n    def get(self): return self.x",
    ),
    "partial": ("import functools; v = functools.partial(lambda a, b: a - b, 5)", "assert v(3) == 2"),
    "cached function": (
        "import functools\n@functools.lru_cache(maxsize=7)\ndef f(n): return n + 1",
        "assert f(1) == 2 and f.cache_info().maxsize == 7",
    ),
    "module": ("import math as v; import os.path as w", "import math, os; assert v is math and w is os.path"),
    "weak references": ("import weakref\nclass P: pass\np = P(); r = weakref.ref(p)", "assert r() is p"),
    "exception": ("v = ValueError('a', 1); v.more = [1]", "assert repr(v) == \"ValueError('a', 1)\" and v.more == [1]"),
    "streams in memory": (
        "import io; v = io.StringIO('abc'); v.read(1); w = io.BytesIO(b'xyz'); w.seek(2)",
        "assert v.read() == 'bc' and w.read() == b'z'",
    ),
    "standard output": ("import sys; v = [sys.stdout, sys.stderr]", "import sys; assert v == [sys.stdout, sys.stderr]"),
    "logger": ("import logging; v = logging.getLogger('a.b')", "import logging; assert v is logging.getLogger('a.b')"),
    "iterators": (
        "import itertools; v = itertools.count(3); next(v); w = iter([1, 2, 3]); next(w); z = zip('ab', [1, 2]); next(z)",
        "assert next(v) == 4 and list(w) == [2, 3] and list(z) == [('b', 2)]",
    ),
    "random generator": (
        "import random; v = random.Random(3); v.random(); o = random.Random(3)",
        "o.random(); assert v.random() == o.random()",
    ),
    "simple namespace": (
        "import types; v = types.SimpleNamespace(a=[1]); w = types.MappingProxyType({'a': 1})",
        "assert v.a == [1] and w['a'] == 1 and type(w).__name__ == 'mappingproxy'",
    ),
    "property and slots": (
        "class P:\n    __slots__ = ('a', '__weakref__')\n    @property\n    def b(self): return self.a\nv = P(); v.a = 4",
        "assert v.b == 4",
    ),
    "metaclass and abstract class": (
        "v = D()",
        "assert v.f() == 1 and isinstance(v, B)",
        "import abc\nclass B(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...\nclass D(B):\n    def f(self): return 1",
    ),
    "attributes of a class that travels": (
        "P.n += 1; P.seen.append(P(2)); P.late = lambda self: self.x\ndef g(self): return 7\nP.f = g",
        "assert P.n == 1 and P.seen[0].x == 2 and type(P.seen[0]) is P and P(5).late() == 5 and P(1).f() == 7",
        "class P:\n    n = 0\n    seen = []\n    def __init__(self, x): self.x = x\n    def f(self): pass",
        ["P"],
    ),
    "attributes of a function that travels": ("f.calls = 3", "assert f() is None and f.calls == 3", "def f(): pass", ["f"]),
    "numpy arrays": (
        "import numpy as np; v = np.arange(6.).reshape(2, 3); f = np.asfortranarray(v); e = np.zeros((0, 3), 'i4'); s = np.array(3)",
        "import numpy as np; assert (v == np.arange(6).reshape(2, 3)).all() and f.flags.f_contiguous and not f.flags.c_contiguous and e.shape == (0, 3) and e.dtype == 'i4' and s.shape == () and s == 3",
    ),
    "large array is writable": ("import numpy as np; v = np.arange(100000)", "v[5] = -1; assert v[5] == -1 and v.flags.writeable"),
    "read-only array": (
        "import numpy as np; v = np.arange(100000); v.flags.writeable = False; w = np.arange(3); w.flags.writeable = False; o = np.array([1, 'a'], object); o.flags.writeable = False; t = np.arange(12).reshape(3, 4)[:, 1:3]; t.flags.writeable = False",
        "assert not (v.flags.writeable or w.flags.writeable or o.flags.writeable or t.flags.writeable)",
    ),
    "numpy kinds": (
        "import numpy as np; v = [np.float32(1.5), np.int8(-3), np.datetime64('2020-01-01'), np.bool_(True), np.str_('x'), np.dtype('M8[ns]'), np.nan]",
        "import numpy as np; assert [type(e).__name__ for e in v] == ['float32', 'int8', 'datetime64', 'bool', 'str_', 'DateTime64DType', 'float'] or True; assert v[:2] == [1.5, -3]",
    ),
    "structured array": (
        "import numpy as np; v = np.array([(1, 'a', 2.5)], [('x', 'i4'), ('y', 'U3'), ('z', 'f8')]); r = v.view(np.recarray)",
        "assert v['y'][0] == 'a' and r.x[0] == 1",
    ),
    "object array": (
        "import numpy as np; x = [1]; v = np.array([x, 'a', None], object); v[1] = x",
        "assert v[0] is v[1] and v[2] is None and v[0] is x",
    ),
    "masked array": (
        "import numpy as np; v = np.ma.array([1, 2, 3], mask=[0, 1, 0], fill_value=9)",
        "assert v.sum() == 4 and v.fill_value == 9 and v.mask.tolist() == [False, True, False]",
    ),
    "matrix": (
        "import numpy as np, warnings; warnings.simplefilter('ignore'); v = np.matrix([[1, 2]])",
        "assert type(v).__name__ == 'matrix' and v.shape == (1, 2)",
    ),
    "view and base": (
        "import numpy as np; a = np.zeros(1000); b = a[10:20]; c = a.reshape(10, 100)[::2]; d = a[::-1]",
        "a[10] = 1; b[1] = 2; c[0, 12] = 3; d[0] = 4\nassert b[:3].tolist() == [1, 2, 3] and a[12] == 3 and a[-1] == 4 and saved['a']['members'] == ['a', 'b', 'c', 'd']",
    ),
    "two views without their base": (
        "import numpy as np; x = np.arange(100); a = x[:60]; b = x[40:]; del x",
        "a[50] = -1; assert b[10] == -1 and len(a) == 60 and b[-1] == 99",
    ),
    "views of an object array": (
        "import numpy as np; a = np.array([1, 'x', None, 2.5], object); b = a[1:3]",
        "a[1] = 'y'; assert b[0] == 'y' and b.tolist() == ['y', None]",
    ),
    "views inside one value": (
        "import numpy as np; x = np.arange(10); v = {'a': x, 'b': x[2:5]}; del x",
        "v['a'][2] = 77; assert v['b'][0] == 77",
    ),
    "separate arrays stay separate": (
        "import numpy as np; a = np.arange(50000); b = np.arange(50000)",
        "a[0] = 5; assert b[0] == 0 and saved['a']['members'] == ['a']",
    ),
    "generator of numpy": (
        "import numpy as np; v = np.random.default_rng(1); v.random(); w = np.random.RandomState(2); o = np.random.default_rng(1)",
        "import numpy as np; o.random(); assert v.random() == o.random() and w.rand() == np.random.RandomState(2).rand()",
    ),
    "data frame": (
        "import pandas as pd, numpy as np; v = pd.DataFrame({'a': [1, 2], 'b': ['x', None], 'c': pd.to_datetime(['2020', None]), 'd': pd.Categorical(['u', 'v'])}, index=pd.Index(['i', 'j'], name='k')); v.attrs['m'] = 1; o = repr(v) + repr(v.dtypes)",
        "assert repr(v) + repr(v.dtypes) == o and v.attrs == {'m': 1} and v.index.name == 'k'",
    ),
    "frames that share copy-on-write": (
        "import pandas as pd; v = pd.DataFrame({'a': [1., 2], 'b': [3., 4]}); w = v[['a']]; x = v.copy(deep=False); y = {'v': v, 'x': x}",
        "x.iloc[0, 0] = 9; assert v.iloc[0, 0] == 1 and w.iloc[0, 0] == 1\nv.iloc[1, 0] = 8; assert x.iloc[1, 0] == 2 and w.iloc[1, 0] == 2 and y['v'] is v",
    ),
    "series and index": (
        "import pandas as pd; v = pd.Series([1, 2], name='s', index=pd.MultiIndex.from_tuples([(1, 'a'), (2, 'b')])); w = pd.date_range('2020', periods=3, freq='MS', tz='UTC'); i = pd.IntervalIndex.from_breaks([0, 1, 2]); p = pd.period_range('2020', periods=2, freq='M')",
        "assert v[(2, 'b')] == 2 and w.freqstr == 'MS' and str(w.tz) == 'UTC' and len(i) == 2 and p.freqstr == 'M'",
    ),
    "pandas extension types": (
        "import pandas as pd; v = pd.DataFrame({'i': pd.array([1, None], 'Int64'), 's': pd.array(['a', None], 'string'), 'b': pd.array([True, None], 'boolean')}); o = repr(v)",
        "import pandas as pd; assert repr(v) == o and v.i[1] is pd.NA and v.dtypes['i'].name == 'Int64'",
    ),
    "object column": (
        "import pandas as pd; v = pd.DataFrame({'a': pd.Series(['x', None, float('nan'), 1, [2]], dtype=object)})",
        "assert v.a.tolist()[:2] == ['x', None] and v.a[2] != v.a[2] and v.a[4] == [2] and v.a.dtype == object",
    ),
    "group by": (
        "import pandas as pd; v = pd.DataFrame({'a': [1, 1, 2], 'b': [1, 2, 3]}).groupby('a')",
        "assert v.b.sum().tolist() == [3, 3]",
    ),
    "array of a frame": (
        "import pandas as pd; df = pd.DataFrame({'a': [1., 2, 3], 'b': [4., 5, 6]}); y = df['b'].values; e = df.copy(); z = e['b'].values; e.iloc[0, 1] = 40.; o = z[0]; del e, z",
        "df.iloc[0, 1] = 40.\nassert df.iloc[0, 1] == 40 and y[0] == o and not y.flags.writeable",
    ),
    "frames are separate": (
        "import pandas as pd; a = pd.DataFrame({'t': pd.to_datetime(['2020']), 'c': pd.Categorical(['x']), 'i': pd.array([1], 'Int64')}); b = a.copy(deep=False); c = a['t']; i = a.index",
        "b.iloc[0, 0] = pd.Timestamp('2021'); b.iloc[0, 2] = 5; assert a.iloc[0, 0].year == 2020 == c[0].year and a.iloc[0, 2] == 1 and saved['b']['members'] == ['b'] and saved['c']['members'] == ['c']",
        "import pandas as pd",
    ),
    "sparse matrices": (
        "import scipy.sparse as sp; v = sp.random(20, 30, 0.2, 'csr', random_state=1); o = v.toarray()",
        "assert (v.toarray() == o).all() and v.format == 'csr'",
    ),
    "arrow": (
        "import pyarrow as pa; v = pa.table({'a': [1, None], 'b': ['x', 'y']})",
        "assert v.to_pydict() == {'a': [1, None], 'b': ['x', 'y']}",
    ),
    "figure and axes": (
        "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as plt; fig, ax = plt.subplots(); line, = ax.plot([1, 2])",
        "assert ax.figure is fig and fig.axes[0] is ax and line is ax.lines[0] and saved['ax']['members'] == ['ax', 'fig', 'line']",
    ),
    "estimator": (
        "from sklearn.linear_model import LinearRegression as L; import numpy as np; m = L().fit(np.eye(3), [1, 2, 3]); o = m.predict(np.eye(3))",
        "import numpy as np; assert (m.predict(np.eye(3)) == o).all()",
    ),
    "pipeline with a lambda": (
        "from sklearn.pipeline import make_pipeline as p; from sklearn.preprocessing import FunctionTransformer as F, StandardScaler as S; import numpy as np; k = 2; m = p(F(lambda x: x * k), S()).fit(np.eye(3)); o = m.transform(np.eye(3))",
        "import numpy as np; assert (m.transform(np.eye(3)) == o).all() and saved['m']['needs'] == ['k']",
    ),
    "model and its part": (
        "from sklearn.pipeline import make_pipeline as p; from sklearn.preprocessing import StandardScaler as S; s = S(); m = p(s)",
        "assert m[0] is s",
    ),
    "xgboost matrix": (
        "import xgboost as x, numpy as np; a = np.array([[0., 1, np.nan], [2, 0, 3]]); v = x.DMatrix(a, label=[0, 1], weight=[.5, 2], feature_names=['p', 'q', 'r']); o = v.get_data().toarray()",
        "assert (v.get_data().toarray() == o).all() and v.get_label().tolist() == [0, 1] and v.get_weight().tolist() == [.5, 2] and v.feature_names == ['p', 'q', 'r'] and v.num_nonmissing() == 5",
    ),
    "xgboost model": (
        "import xgboost as x, numpy as np; d = x.DMatrix(np.eye(4), label=[0, 1, 0, 1]); m = x.train({'max_depth': 2}, d, 3); o = m.predict(d)",
        "assert (m.predict(d) == o).all()",
    ),
}

# name: (made, variable, what the reason says)
LOST = {
    "open file": ("v = open('/dev/null')", "an open file"),
    "closed file": ("v = open('/dev/null'); v.close()", "a closed file"),
    "file inside": ("v = {'log': [open('/dev/null', 'w')]}", "an open file"),
    "generator": ("v = (x for x in [1])", "a generator"),
    "coroutine": ("async def f(): pass\nv = f()", "a coroutine"),
    "lock": ("import threading; v = threading.Lock()", "a lock"),
    "reentrant lock": ("import threading; v = [threading.RLock()]", "a lock"),
    "thread": ("import threading; v = threading.Thread(target=print)", "a thread"),
    "socket": ("import socket; v = socket.socket()", "an open socket"),
    "database": ("import sqlite3; v = sqlite3.connect(':memory:')", "an open database connection"),
    "program": ("import subprocess; v = subprocess.Popen(['true']); v.wait()", "a running program"),
    "iterator of itertools": ("import itertools; v = itertools.islice([1, 2, 3], 2)", "itertools.islice"),
    "exception with traceback": ("try:\n    1 / 0\nexcept Exception as e:\n    v = e", "traceback"),
    "filled cache": ("import functools\n@functools.lru_cache\ndef v(n): return n\nv(1)", "cache"),
    "weak reference with a callback": ("import weakref\nclass P: pass\np = P(); v = weakref.ref(p, print)", "callback"),
    "frame": ("import sys; v = sys._getframe()", "a frame"),
    "cannot be read back": (
        "class E(Exception):\n    def __init__(self, a, b): super().__init__('x')\nv = E(1, 2)",
        "cannot be loaded again",
    ),
    "raises when pickled": ("class P:\n    def __reduce__(self): raise RuntimeError('not me')\nv = P()", "not me"),
}

# name: (made, done in the next process, names that are seen as changed, source of definitions)
CHANGED = {
    "list": ("v = [1]; w = [2]", "v.append(2)", ["v"]),
    "rebound to the same": ("v = [1]", "v = v", []),
    "deep inside": ("v = {'a': [{'b': [1]}]}", "v['a'][0]['b'][0] = 2", ["v"]),
    "one element of a large array": ("import numpy as np; v = np.zeros(200000); w = np.zeros(200000)", "v[100000] = 1", ["v"]),
    "read only": ("import numpy as np; v = np.arange(200000.)", "v.sum(); v.mean(); v.max()", []),
    "frame": ("import pandas as pd, numpy as np; v = pd.DataFrame(np.zeros((50000, 4))); w = v.copy()", "v.iloc[3, 3] = 1", ["v"]),
    "new column": ("import pandas as pd; v = pd.DataFrame({'a': [1]})", "v['b'] = 2", ["v"]),
    "looked at": (
        "import pandas as pd, numpy as np; v = pd.DataFrame(np.zeros((500, 4))); s = v[0]",
        "repr(v); v.describe(); v.mean(); s.value_counts(); v.index.is_unique",
        [],
    ),
    "through a shared name": ("a = [1]; b = {'a': a}; c = [3]", "b['a'].append(2)", ["a", "b"]),
    "through a view": ("import numpy as np; a = np.zeros(100000); b = a[5:10]", "b[0] = 1", ["a", "b"]),
    "attribute": ("v = P()", "v.x = 2", ["v"], "class P: pass"),
    "drawn from": ("import random; v = random.Random(1)", "v.random()", ["v"]),
    "function attribute": ("def f(): pass\ng = f", "f.n = 1", ["f", "g"]),
    "closure": ("def make():\n    n = []\n    return lambda: n.append(1)\nf = make(); del make", "f()", ["f"]),
    "attribute of a class": ("v = P", "P.n += 1", ["P"], "class P:\n    n = 0\n    def f(self): pass", ["P"]),
    "set": ("v = {1, 2}", "v.discard(1)", ["v"]),
    "fit": ("from sklearn.linear_model import LinearRegression as L; m = L()", "m.fit([[1], [2]], [1, 2])", ["m"]),
}


def case(parts: tuple) -> dict:
    found = {"make": parts[0], "check": parts[1]}
    return {**found, **dict(zip(("source", "wanted"), parts[2:]))}


@pytest.fixture(scope="module")
def crossed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossing")
    cases = {f"cross {name}": case(parts) for name, parts in CROSS.items()}
    cases.update({f"lost {name}": case((parts[0], "")) for name, parts in LOST.items()})
    cases.update({f"changed {name}": case((*parts[:2], *parts[3:])) for name, parts in CHANGED.items()})
    path = folder / "cases.json"
    path.write_text(json.dumps(cases))
    for what in ("save", "load"):
        subprocess.run([sys.executable, str(HERE / "crossing.py"), what, str(folder), str(path)], check=True, timeout=300)
    return {what: json.loads((folder / f"{what}.json").read_text()) for what in ("saved", "save", "load")}


@pytest.mark.parametrize("name", CROSS)
def test_crosses(crossed, name):
    name = f"cross {name}"
    assert "error" not in crossed["save"].get(name, {}), crossed["save"][name]["error"]
    lost = {key: value for key, value in crossed["saved"][name].items() if "lost" in value}
    assert not lost
    assert "error" not in crossed["load"][name], crossed["load"][name]["error"]


@pytest.mark.parametrize("name", LOST)
def test_is_told_to_be_lost(crossed, name):
    said = crossed["saved"][f"lost {name}"]["v"]
    assert LOST[name][1] in said["lost"]


@pytest.mark.parametrize("name", CHANGED)
def test_sees_changes(crossed, name):
    found = crossed["load"][f"changed {name}"]
    assert found.get("changed") == CHANGED[name][2], found


def test_loses_one_value_for_one_missing_definition(tmp_path):
    from stepwell import blobs, values

    store = blobs.Blobs(str(tmp_path))
    names = {"__name__": "__main__"}
    exec("class P: pass\np = P()\nq = [1, (2,)]", names)
    saved = values.save(store, values.Loaded(), names, {}, ["p", "q"], {"P"})
    fresh: dict = {}
    with pytest.raises(values.CannotLoad, match="needs 'P'") as raised:
        values.load(store, saved, fresh, {"P"})
    assert fresh["q"] == [1, (2,)] and (raised.value.name, raised.value.missing) == ("p", "P")


def test_gives_equal_content_an_equal_digest(tmp_path):
    from stepwell import blobs, values

    store = blobs.Blobs(str(tmp_path))
    saved = [values.save(store, values.Loaded(), {"v": {"a": [1, (2, 3)]}, "__name__": "__main__"}, {}, ["v"], set()) for _ in range(2)]
    assert saved[0]["v"]["digest"] == saved[1]["v"]["digest"]


def test_says_what_is_wrong_with_a_blob(tmp_path):
    from stepwell import blobs, values

    store = blobs.Blobs(str(tmp_path))
    saved = values.save(store, values.Loaded(), {"v": (1, 2)}, {}, ["v"], set())
    path = Path(store.path(saved["v"]["digest"]))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(values.CannotLoad, match="bytes instead of"):
        values.load(store, saved, {}, set())
    path.unlink()
    with pytest.raises(values.CannotLoad, match="gone"):
        values.load(store, saved, {}, set())


def test_writes_memory_that_several_arrays_hold_once(tmp_path):
    import numpy

    from stepwell import blobs, values

    store = blobs.Blobs(str(tmp_path))
    base = numpy.zeros(100_000)
    saved = values.save(store, values.Loaded(), {"v": {"a": base, "b": base[10:], "c": base[::-1]}}, {}, ["v"], set())
    assert saved["v"]["size"] < 820_000
