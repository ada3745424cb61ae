"""The storm: a host's real channel code under virtual time, with a scripted WhatsApp.

``scenarios`` holds what WhatsApp and the network do, and the bounds, as data;
``supervisor`` what restarts the process; ``run`` puts a host through them. The Node side
lies in ``runner/``.
"""
