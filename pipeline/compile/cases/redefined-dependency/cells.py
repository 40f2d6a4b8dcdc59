# %% [step:a]
def g():
    return 1
def f():
    return g()
# %% [step:b]
print(f())
# %% [step:c]
def g():
    return 2
# %% [step:d]
print(f())
