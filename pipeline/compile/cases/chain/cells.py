# %% [step:load]
import pandas as pd
df = pd.read_csv("data/x.csv")
# %% [step:clean]
df = df.dropna()
df["b"] = df.a * 2
# %% [step:train]
model = make(df)
