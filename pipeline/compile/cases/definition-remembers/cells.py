# %% [step:a]
from functools import lru_cache, wraps
import pickle
import spacy

known = []
def keep(f):
    known.append(f)
    return f
def remember(x, seen=[]):
    seen.append(x)
    return seen
def look(x, columns=('a', 'b'), scale=1.0, kind=str('bar')):
    return x
class Box:
    def __init__(self, items={}):
        self.items = items
    @property
    def size(self):
        return len(self.items)
    @size.setter
    def size(self, value):
        pass
class Plain:
    @staticmethod
    def make():
        return Plain()
# %% [step:b]
@lru_cache(maxsize=None)
def cached(x):
    return x
@keep
def kept():
    return 1
@wraps(look)
def wrapped(x):
    return x
@spacy.Language.component('mine')
def component(doc):
    return doc
# %% [step:c]
print(remember(1), look(1), Box(), Plain.make())
# %% [step:d]
print(cached(1), kept(), wrapped(1), component(1), remember)
# %% [step:e]
@cached.register
def _(x):
    return x
# %% [step:f]
print(pickle.load(open('/x.pkl', 'rb')))
