"""What would be done, and why: pure decisions on files, rules, and names that are taken. Nothing is touched."""
