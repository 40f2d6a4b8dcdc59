# %% [step:a]
class P:
    v = 1
p = P()
# %% [step:b]
class P:
    v = 2
# %% [step:c]
print(p.v, P.v)
