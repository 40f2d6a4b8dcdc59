# %% [step:a]
v = 1
flag = False
# %% [step:b]
if flag:
    v = 2
# %% [step:c]
print(v)
