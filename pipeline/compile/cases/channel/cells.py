# %% [step:a]
import numpy as np
np.random.seed(0)
# %% [step:b]
x = np.random.rand(3)
# %% [step:c]
print(np.random.rand(3), x)
