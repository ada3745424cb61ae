"""Templates of what a host gains."""
