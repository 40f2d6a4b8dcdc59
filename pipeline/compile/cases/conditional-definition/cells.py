# %% [step:a]
try:
    import fast as engine
except ImportError:
    import slow as engine
# %% [step:b]
engine.run()
