# %% [step:a]
import math
def area(r):
    return math.pi * square(r) * scale
def square(x):
    return x * x
# %% [step:b]
scale = 2
# %% [step:c]
print(area(3))
