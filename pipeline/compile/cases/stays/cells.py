# %% [step:a]
import sqlite3, threading
from threading import Lock as Guard
f = open('x.txt', 'w')
g = open('y.txt').read()
connection = sqlite3.connect('x.db')
lock = Guard()
numbers = (n for n in range(3))
h = open('z.txt')
h = 3
with open('w.txt') as w:
    pass
i = open('i.txt')
# %% [step:b]
f.write(g)
# %% [step:c]
f.write('y')
numbers
# %% [step:d]
def later():
    return connection
# %% [step:e]
print(h, w)
if g:
    i = 3
# %% [step:f]
print(i)
with lock:
    pass
