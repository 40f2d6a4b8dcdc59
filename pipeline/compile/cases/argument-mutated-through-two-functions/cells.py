# %% [step:a]
def outer(d):
    inner(other=d)
def inner(x=None, other=None):
    other["k"] = 1
conf = {}
# %% [step:b]
outer(conf)
# %% [step:c]
print(conf)
