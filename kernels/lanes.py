"""Sixteen trajectories side by side: what kernels name of the vector code in `lane_code`."""

from .late import late

WIDTH = 16

splat = late("lane_code", "splat")
fma = late("lane_code", "fma")
ceil = late("lane_code", "ceil")
exponent = late("lane_code", "exponent")
fraction = late("lane_code", "fraction")
select = late("lane_code", "select")
anywhere = late("lane_code", "anywhere")
load = late("lane_code", "load")
store = late("lane_code", "store")
item = late("lane_code", "item")
number_set = late("lane_code", "number_set")
