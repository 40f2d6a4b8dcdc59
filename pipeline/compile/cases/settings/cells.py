# metadata: {"stepwell": {"nmae": "x", "defaults": {"retries": 1}, "steps": {"a": {"retries": -1, "env": {"A": "b"}}, "z": {}}}}
# %% [step:a]
print(1)
