# %% [step:a]
from math import *
# %% [step:b]
print(sqrt(4))
