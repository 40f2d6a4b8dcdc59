# %% [step:a]
f = open("x.txt")
# %% [step:b]
print(f.read())
