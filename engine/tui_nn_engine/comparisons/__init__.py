"""Many runs of one experiment with listed values, on the machine's cores."""
