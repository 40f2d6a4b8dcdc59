# %% [functions]
def f():
    return 1
# %% [step:a]
print(f())
# %% [functions]
def f():
    return 2
# %% [step:b]
print(f())
