# %% [step:a]
a = []
b = a
# %% [step:b]
b = [0]
# %% [step:c]
a.append(1)
# %% [step:d]
print(b)
