# %% [steps:a]
print(1)
# %% [step:my step]
print(2)
# %% [step:a, step:b]
print(3)
