"""Everything the storm takes from a host: copies of it, its channels, its unit, its tools.

``copies``: the host before and after the patch; ``channels`` and ``python_channels``: what can
be run, and how it is started; ``units``: what starts it again; ``tools``: what it is run with.
"""
