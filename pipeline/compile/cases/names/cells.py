# %% [step:a]
value = 1
print(vlaue, len([]), __name__, display, later)
# %% [step:b]
later = value
print(later)
