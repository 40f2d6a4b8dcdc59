# %% [step:a]
from IPython.core.magic import register_line_magic
@register_line_magic
def shout(line):
    return line.upper()
# %% [step:b]
shout hello world
# %% [step:c]
whisper hello world
