"""Channels cross between two real processes: one changes the state, another starts from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

PROGRAM = """
import json, os, sys
sys.path.insert(0, {root!r})
what, folder, source, fresh = sys.argv[1:]
from stepwell import blobs, channels
from stepwell.shell import make_shell
shell = make_shell()
os.makedirs(folder + "/ws", exist_ok=True)
os.chdir(folder + "/ws")
class Workspace: path = folder + "/ws"
store = blobs.Blobs(folder + "/artifacts")
states = json.load(open(folder + "/states.json")) if what == "load" else {{}}
held = channels.restore(states, store, shell, Workspace, fresh == "fresh")
exec(source, shell.user_ns)
changed = held.changed(store)
if what == "save":
    json.dump(changed, open(folder + "/states.json", "w"))
json.dump({{"changed": sorted(changed), "used": held.used()}}, open(folder + "/" + what + ".json", "w"))
"""


def run(what: str, folder: Path, source: str, fresh: str = "") -> dict:
    program = PROGRAM.format(root=str(HERE.parent))
    done = subprocess.run(
        [sys.executable, "-c", program, what, str(folder), source, fresh], capture_output=True, check=False, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / f"{what}.json").read_text())


# name: (what one step does, what holds in the next, the channels that changed)
CROSS = {
    "nothing": ("pass", "pass", []),
    "random": (
        "import random; random.seed(1); random.random(); random.gauss(0, 1)",
        "import random; r = random.Random(1); r.random(); r.gauss(0, 1); assert random.gauss(0, 1) == r.gauss(0, 1)",
        ["@random"],
    ),
    "numpy": (
        "import numpy as np; np.random.seed(3); np.random.randn(3)",
        "import numpy as np; r = np.random.RandomState(3); r.randn(3); assert np.random.randn() == r.randn() and np.random.rand() == r.rand()",
        ["@numpy.random"],
    ),
    "import only": ("import numpy, pandas, sklearn.linear_model, scipy.stats, seaborn, matplotlib.pyplot", "pass", []),
    "environment": (
        "import os; os.environ['A'] = 'b'; os.environ['HERE'] = os.getcwd() + '/x'; os.environ.pop('HOME', None)",
        "import os; assert os.environ['A'] == 'b' and os.environ['HERE'] == os.getcwd() + '/x' and 'HOME' not in os.environ",
        ["@environ"],
    ),
    "folder": ("import os; os.makedirs('a/b'); os.chdir('a/b')", "import os; assert os.getcwd().endswith('/ws/a/b')", ["@cwd"]),
    "folder elsewhere": ("import os; os.chdir('/')", "import os; assert os.getcwd() == '/'", ["@cwd"]),
    "path": (
        "import sys, os, pathlib; sys.path.append('lib'); sys.path.insert(0, os.getcwd() + '/src'); sys.path.append(pathlib.Path('p'))",
        "import sys, os; assert sys.path[0] == os.getcwd() + '/src' and sys.path[-2] == 'lib' and str(sys.path[-1]) == 'p' and sys.path.count('lib') == 1",
        ["@path"],
    ),
    "warnings": (
        "import warnings; warnings.filterwarnings('ignore'); warnings.filterwarnings('error', message='x+', category=UserWarning)",
        "import warnings\ntry:\n    warnings.warn('xx'); raise SystemExit('no error')\nexcept UserWarning: pass\nassert warnings.filters[1][0] == 'ignore'",
        ["@warnings"],
    ),
    "warnings, though a library does the same for a moment": (
        "import warnings; warnings.filterwarnings('ignore'); import pandas as pd; pd.options.display.max_rows; import matplotlib; matplotlib.rcParams['axes.grid']",
        "import warnings; assert any(f[:3] == ('ignore', None, Warning) for f in warnings.filters)",
        ["@warnings"],
    ),
    "formats before plotting": (
        "get_ipython().run_line_magic('config', \"InlineBackend.figure_format = 'svg'\")",
        "import sys; assert 'matplotlib' not in sys.modules; from matplotlib_inline.config import InlineBackend as I; assert I.instance(parent=get_ipython()).figure_formats == {'svg'}",
        ["@matplotlib"],
    ),
    "warnings of a library stay where they are": (
        "import warnings; warnings.simplefilter('ignore'); import scipy.special",
        "import warnings; own = next(n for n, f in enumerate(warnings.filters) if f[0] == 'ignore' and f[2] is Warning and f[1] is None); assert own > 0",
        ["@warnings"],
    ),
    "logging": (
        "import logging, sys; logging.basicConfig(level=logging.INFO, stream=sys.stdout, format='%(message)s'); logging.getLogger('x.y').setLevel(5)",
        "import logging, sys; (h,) = logging.root.handlers; assert logging.root.level == 20 and h.stream is sys.stdout and h.formatter._fmt == '%(message)s' and logging.getLogger('x.y').level == 5",
        ["@logging"],
    ),
    "decimal": (
        "import decimal; decimal.getcontext().prec = 5",
        "import decimal; assert str(decimal.Decimal(1) / 3) == '0.33333'",
        ["@locale"],
    ),
    "pandas": (
        "import pandas as pd; pd.set_option('display.float_format', lambda x: '%.2f' % x); pd.options.display.max_rows = 7",
        "import pandas as pd; assert '1.23' in repr(pd.DataFrame({'a': [1.23456]})) and '1.234' not in repr(pd.DataFrame({'a': [1.23456]})) and pd.options.display.max_rows == 7",
        ["@pandas"],
    ),
    "numpy options": (
        "import numpy as np; np.set_printoptions(precision=2); np.seterr(all='ignore')",
        "import numpy as np; assert str(np.array([1.2345])) == '[1.23]' and np.geterr()['divide'] == 'ignore'",
        ["@numpy"],
    ),
    "plotting": (
        "import matplotlib.pyplot as plt; plt.rcParams['figure.figsize'] = (3, 4); plt.rc('axes', grid=True)",
        "import matplotlib.pyplot as plt; assert list(plt.rcParams['figure.figsize']) == [3, 4] and plt.rcParams['axes.grid'] and plt.rcParams['axes.prop_cycle']",
        ["@matplotlib"],
    ),
    "style": (
        "import matplotlib.pyplot as plt; plt.style.use('ggplot')",
        "import matplotlib.pyplot as plt; s = plt.style.library['ggplot']; assert plt.rcParams['axes.facecolor'] == s['axes.facecolor'] and plt.rcParams['axes.prop_cycle'] == s['axes.prop_cycle']",
        ["@matplotlib"],
    ),
    "inline": (
        "get_ipython().run_line_magic('matplotlib', 'inline'); get_ipython().run_line_magic('config', \"InlineBackend.figure_formats = ['svg']\")",
        "import matplotlib.pyplot; f = get_ipython().display_formatter.formatters; from matplotlib.figure import Figure; assert f['image/svg+xml'].lookup_by_type(Figure)",
        ["@matplotlib"],
    ),
    "retina": (
        "import matplotlib.pyplot; get_ipython().run_line_magic('config', \"InlineBackend.figure_format = 'retina'\")",
        "import matplotlib.pyplot; from matplotlib_inline.config import InlineBackend as I; assert I.instance(parent=get_ipython()).figure_formats == {'retina'}",
        ["@matplotlib"],
    ),
    "another backend": (
        "import matplotlib; matplotlib.use('agg')",
        "import matplotlib; assert matplotlib.get_backend() == 'agg'",
        ["@matplotlib"],
    ),
    "shell": (
        "ip = get_ipython(); ip.run_line_magic('precision', '3'); ip.ast_node_interactivity = 'all'",
        "ip = get_ipython(); assert ip.ast_node_interactivity == 'all' and ip.display_formatter.format(1.23456)[0]['text/plain'] == '1.235'",
        ["@ipython"],
    ),
    "scikit-learn": (
        "import sklearn; sklearn.set_config(transform_output='pandas')",
        "import sklearn; assert sklearn.get_config()['transform_output'] == 'pandas'",
        ["@ipython"],
    ),
}


@pytest.mark.parametrize("name", CROSS)
def test_crosses(tmp_path, name):
    make, check, channels = CROSS[name]
    said = run("save", tmp_path, make)
    assert said["changed"] == channels and set(channels) <= set(said["used"])
    then = run("load", tmp_path, check)
    drawn = {"@random", "@numpy.random"}
    assert set(then["changed"]) <= drawn and (name in ("random", "numpy") or not then["changed"])


def test_takes_fresh_entropy_where_nothing_is_restored(tmp_path):
    source = (
        "import random, numpy; random.seed(1); numpy.random.seed(1)\nfrom stepwell.channels import restore\nimport stepwell.blobs, os\n"
    )
    source += "restore({}, stepwell.blobs.Blobs('x'), get_ipython(), os.getcwd(), True)\n"
    source += "assert random.random() != random.Random(1).random() and numpy.random.rand() != numpy.random.RandomState(1).rand()"
    run("save", tmp_path, source)


def test_does_not_import_what_nobody_needs(tmp_path):
    run("save", tmp_path, "import sys; assert not {'numpy', 'pandas', 'matplotlib', 'torch'} & set(sys.modules), set(sys.modules)")
