# %% [step:a]
a = []
b = a
# %% [step:b]
a.append(1)
# %% [step:c]
print(b)
