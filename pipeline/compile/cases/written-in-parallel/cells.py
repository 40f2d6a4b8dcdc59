# %% [step:data]
n = 1
# %% [step:left]
x = n + 1
# %% [step:right]
x = n + 2
# %% [step:join]
print(x)
