"""The population register: a real directory that answers comparisons and nothing else."""
