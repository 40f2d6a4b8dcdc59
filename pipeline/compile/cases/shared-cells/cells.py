# %% [imports]
import math
# %% [functions]
def f(x):
    return math.sqrt(x) + offset
# %% [step:a]
offset = 1
# %% [step:b]
print(f(4))
