# %% [step:a]
class Point:
    pass
# %% [step:b]
points = [Point()]
# %% [step:c]
again = list(points)
# %% [step:d]
print(again)
