# %% [step:a]
import altair as alt
alt.renderers.enable("html")
# %% [step:b]
alt.Chart()
# %% [step:c]
print(1)
