# %% [step:a, raises-exception]
y = = 2
