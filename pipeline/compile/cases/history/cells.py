# %% [step:a]
1 + 1
# %% [step:b]
print(_)
