# metadata: {"stepwell": {"steps": {"b": {"after": ["c"]}, "d": {"after": ["aa"]}, "a": {"after": ["a"]}}}}
# %% [step:a]
print(1)
# %% [step:b]
x = 1
# %% [step:c]
print(x)
# %% [step:d]
print(2)
