# metadata: {"kubeflow_notebook": {"pipeline_name": "iris", "docker_image": "img:1", "steps_defaults": ["label:team:x"], "volumes": []}}
# %% [imports]
import math
# %% [pipeline-parameters]
n = 3
# %% [block:load]
data = [n]
# %%
data.append(2)
# %% [block:train, prev:load, limit:nvidia.com/gpu:1]
acc = sum(data)
# %% [step:, prev:train]
loss = 0.5
# %% [step:eval, prev:train]
print(acc)
# %% [pipeline-metrics]
print(acc)
print(loss)
