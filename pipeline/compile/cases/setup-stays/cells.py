# %% [step:a]
import json, torch, numpy as np
device = 'cpu'
# %% [step:b]
torch.set_default_device(device)
json.indent = 3
# %% [step:c]
print(json.dumps([1]))
# %% [step:d]
print(torch.ones(2))
# %% [step:e]
print(np.ones(2))
