# %% [step:a]
x = 1
# %% [step:b]
y = x + 1
# %% [step:a]
z = x + 2
# %% [step:c]
print(y, z)
