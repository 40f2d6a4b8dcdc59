# %% [step:a]
a = 1
# %% [step:b]
a + 1
# %% [step:c]
a * 2;
# %% [step:d]
print('d')
# %% [step:e]
_ + 1
# %% [step:f]
print(__)
# %% [step:g]
print(Out[5])
# %% [step:h]
print(_5, In[7])
# %% [step:i]
[1]
_
# %% [step:j]
for _ in []:
    pass
# %% [step:k]
print(_)
