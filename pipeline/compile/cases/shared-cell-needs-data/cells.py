# %% [step:a]
base = 3
# %% [functions]
table = [base] * 2
# %% [step:b]
print(table)
