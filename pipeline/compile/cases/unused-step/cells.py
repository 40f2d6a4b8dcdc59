# %% [step:a]
a = 1
# %% [step:b]
b = 2
# %% [step:c]
print(a)
