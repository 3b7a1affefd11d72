"""Is the policy sound? Checks on an inventory that give findings, one file for each subject. Pure."""
