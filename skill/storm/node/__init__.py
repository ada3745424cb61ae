"""The storm for TypeScript and JavaScript channels: virtual time in one Node process.

``run`` bundles a host and puts it through scenarios, with what lies in ``runner/``.
"""
