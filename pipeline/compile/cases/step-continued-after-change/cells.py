# %% [step:a]
x = 1
# %% [step:b]
x = x + 1
# %% [step:a]
z = x + 2
# %% [step:c]
print(x, z)
