# %% [step:a]
code = "x = 1"
# %% [step:b]
exec(code)
# %% [step:c]
print(x)
