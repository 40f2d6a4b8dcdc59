# %%
a = 1
# %% [step:x]
b = a
# %%
c = b
# %% [skip]
d = 1
# %% md
text
# %%
