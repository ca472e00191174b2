"""What voice, and later SMS and mail, share per cloud: keys, threads, and faults in our words."""
