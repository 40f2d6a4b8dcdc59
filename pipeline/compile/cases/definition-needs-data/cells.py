# %% [step:a]
k = 3
def f(x, by=k):
    return x * by
# %% [step:b]
print(f(1))
