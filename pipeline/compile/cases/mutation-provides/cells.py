# %% [step:a]
xs = []
# %% [step:b]
xs.append(1)
# %% [step:c]
print(xs)
