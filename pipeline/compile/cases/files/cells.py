# %% [step:a]
import pandas as pd
pd.DataFrame().to_csv("./out/a.csv")
# %% [step:b]
print(pd.read_csv("out/a.csv"))
# %% [step:c]
print(pd.read_csv("/etc/hosts"), pd.read_csv("https://example.org/x.csv"))
