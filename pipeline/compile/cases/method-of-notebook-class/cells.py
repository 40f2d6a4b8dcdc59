# %% [step:a]
class Net:
    def __init__(self):
        self.w = 0
    def learn(self, rows):
        rows.sort()
        self.w = rate
# %% [step:b]
net = Net()
rows = [2, 1]
rate = 0.1
# %% [step:c]
loss = net.learn(rows)
# %% [step:d]
print(rows, net.w)
