"""add/ -> the files a host gains: modules joined, policy filled in, in the host's style."""
