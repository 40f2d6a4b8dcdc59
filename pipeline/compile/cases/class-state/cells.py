# %% [step:a]
class Counter:
    made = 0
    def __init__(self):
        Counter.made += 1
# %% [step:b]
one = Counter()
# %% [step:c]
print(Counter.made)
