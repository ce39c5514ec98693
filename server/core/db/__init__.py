"""What every table and store is made of."""
