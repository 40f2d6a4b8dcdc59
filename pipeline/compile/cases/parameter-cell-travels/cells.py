# %% [parameters]
import os
rate = 1.0
path = os.path.join("a", "b")
# %% [step:a]
print(rate)
# %% [step:b]
print(rate)
# %% [step:c]
print(os.sep, path)
# %% [step:d]
print(1)
