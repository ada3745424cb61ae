"""Tests of a host that assert the fault, and would fail once it is mended."""
