# %% [parameters]
n = 3
name: str = "x"
path = name + ".csv"
# %% [step:a]
print(n)
# %% [step:b]
n = 4
print(path)
# %% [step:c]
print(n)
