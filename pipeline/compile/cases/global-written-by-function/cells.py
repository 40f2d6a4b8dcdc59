# %% [step:a]
count = 0
def tick():
    global count
    count += 1
# %% [step:b]
tick()
# %% [step:c]
print(count)
