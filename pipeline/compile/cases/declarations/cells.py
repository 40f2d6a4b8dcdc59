# metadata: {"stepwell": {"steps": {"a": {"outputs": ["x", "ghost"]}, "b": {"inputs": ["y", "nobody"]}}}}
# %% [step:a]
x = 1
y = 2
# %% [step:b]
print(x, y)
