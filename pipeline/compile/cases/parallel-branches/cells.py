# %% [step:data]
n = 3
# %% [step:left]
left = n + 1
# %% [step:right]
right = n * 2
# %% [step:join]
print(left, right)
