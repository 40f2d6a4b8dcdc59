# %% [step:a]
%pylab inline
# %% [step:b]
print(linspace(0, 1, 5))
